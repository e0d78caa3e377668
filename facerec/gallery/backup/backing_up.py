"""Backing up a gallery while it is in use."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from facerec.errors import BackupError
from facerec.gallery.audit.reading import last_number
from facerec.gallery.backup.backup_file import DATABASE_MEMBER, BackupManifest, write_backup_file
from facerec.gallery.storage import schema
from facerec.gallery.storage.copying import copy_rows
from facerec.gallery.storage.database import Database
from facerec.gallery.storage.reading import read_revision
from facerec.gallery.storage.scratch_folder import scratch_folder
from facerec.gallery.storage.sqlite_backend import SqliteBackend
from facerec.gallery.times import stored

__all__ = ["back_up"]

_PAGES_AT_ONCE = 4096


def back_up(
    database: Database, file: Path, others: Mapping[str, Path], now: datetime
) -> BackupManifest:
    """Write a backup of the state of one instant; nobody waits for it.

    Args:
        database: Of the home.
        file: Where to write it; an older one there is replaced.
        others: Further files to put in, by their names in the backup.
        now: The present moment.

    Raises:
        BackupError: it cannot be written.
        GalleryDamagedError: the database is damaged.
    """
    try:
        with scratch_folder(file.parent) as folder:
            copy = folder / DATABASE_MEMBER
            copy.touch(mode=0o600)
            with database.backend.translated(), _told_of_the_file(file):
                _copy(database, copy)
            copied = SqliteBackend(copy).engine()
            try:
                with copied.connect() as connection:
                    manifest = _manifest(connection, now)
            finally:
                copied.dispose()
            new = folder / "backup"  # under its name it is whole from the first moment on
            write_backup_file(new, manifest, {DATABASE_MEMBER: copy, **others})
            new.replace(file)
    except OSError as error:
        raise BackupError(
            f"the backup {file} cannot be written: {error.strerror}; choose another place"
        ) from error
    return manifest


@contextmanager
def _told_of_the_file(file: Path) -> Iterator[None]:
    """Say of the backup what SQLite says of the copy, and leave the rest to the gallery."""
    try:
        yield
    except (sqlite3.OperationalError, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(cause, sqlite3.OperationalError):
            raise
        raise BackupError(
            f"the backup {file} cannot be written ({cause}); free some space or choose another "
            "place"
        ) from error


def _copy(database: Database, path: Path) -> None:
    """Copy the tables into a new SQLite file: pages from SQLite, rows from another system."""
    if isinstance(database.backend, SqliteBackend):
        source, target = sqlite3.connect(database.backend.path), sqlite3.connect(path)
        try:
            source.execute("BEGIN")  # else writers meanwhile would make it begin again and again
            source.backup(target, pages=_PAGES_AT_ONCE)
        finally:
            source.close()
            target.close()
    else:
        _copy_rows(database, path)
    # Without a log beside it, the file is all that there is of the copy.
    alone = sqlite3.connect(path)
    try:
        alone.execute("PRAGMA journal_mode = DELETE").close()
    finally:
        alone.close()


def _copy_rows(database: Database, path: Path) -> None:
    engine = SqliteBackend(path).engine()
    try:
        with database.reading() as source_rows, engine.begin() as target_rows:
            schema.metadata.create_all(target_rows)
            copy_rows(source_rows, target_rows, schema.metadata.sorted_tables)
    finally:
        engine.dispose()


def _manifest(connection: Connection, now: datetime) -> BackupManifest:
    home = connection.execute(select(schema.home)).one()
    return BackupManifest(
        home_id=home.home_id,
        master_key_id=home.master_key_id,
        revision=read_revision(connection),
        entries=last_number(connection),
        created=stored(now),
        profiles=int(connection.scalar(select(func.count()).select_from(schema.profile)) or 0),
        templates=int(connection.scalar(select(func.count()).select_from(schema.template)) or 0),
        members={},
    )
