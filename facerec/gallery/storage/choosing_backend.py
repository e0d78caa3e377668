"""Which database system a home's gallery is kept in."""

from pathlib import Path

from facerec.gallery.storage.backend import Backend

__all__ = ["backend_of"]


def backend_of(path: Path, url: str) -> Backend:
    """Return the PostgreSQL database of a URL, or the SQLite file if that is empty.

    Raises:
        GalleryError: the URL is not fit.
    """
    if url:
        from facerec.gallery.storage.postgres_backend import PostgresBackend  # psycopg costs time

        return PostgresBackend(url, path.parent)
    from facerec.gallery.storage.sqlite_backend import SqliteBackend

    return SqliteBackend(path)
