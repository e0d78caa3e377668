"""Moments as the database keeps them."""

from datetime import UTC, datetime

from facerec.errors import GalleryError

__all__ = ["moment", "stored", "utc_now"]


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


def stored(moment: datetime) -> str:
    """Return the text of a moment; the order of texts is that of the moments.

    Raises:
        GalleryError: it does not say its time zone.
    """
    if moment.tzinfo is None:
        raise GalleryError("a time must say its time zone, such as 2030-01-31T00:00+00:00")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """Return the moment of a text that `stored` wrote."""
    return datetime.fromisoformat(text)
