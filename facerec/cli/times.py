"""Times as users write them."""

from datetime import UTC, datetime

from facerec.errors import GalleryError

__all__ = ["time_of", "validity"]


def time_of(text: str) -> datetime:
    """Return the time of an ISO 8601 text; without a zone it is UTC.

    Raises:
        GalleryError: it is none.
    """
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise GalleryError(
            "a time must be written as 2030-01-31 or 2030-01-31T18:00+01:00; "
            f"received {text[:40]!r}"
        ) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def validity(begins: str | None, ends: str | None) -> tuple[datetime | None, datetime | None]:
    """Return the times between which somebody is matched; None or "" for no bound.

    Raises:
        GalleryError: one is no time, or the end is not after the beginning.
    """
    first, last = (time_of(text) if text else None for text in (begins, ends))
    if first is not None and last is not None and last <= first:
        raise GalleryError("a person's validity must end after it begins")
    return first, last
