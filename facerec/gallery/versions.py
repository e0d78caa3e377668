"""Versions of people's records, by which two who change the same person notice each other."""

from sqlalchemy import Connection, bindparam, func, select

from facerec.errors import ProfileChangedError
from facerec.gallery.storage import schema

__all__ = ["require_version", "version_of"]

_change = schema.change.c

_LAST_CHANGE = select(func.max(_change.revision)).where(_change.profile == bindparam("number"))


def version_of(connection: Connection, number: int) -> int:
    """Return the revision at which a person was last changed; 0 when that is not known."""
    return int(connection.scalar(_LAST_CHANGE, {"number": number}) or 0)


def require_version(connection: Connection, number: int, version: int | None) -> None:
    """Do nothing if a person is as they were at a version; None stands for any.

    Raises:
        ProfileChangedError: they were changed since.
    """
    if version is not None and version_of(connection, number) != version:
        raise ProfileChangedError(
            "the profile was changed since it was read; read it again and repeat the change"
        )
