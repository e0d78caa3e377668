"""What the gallery asks of a database system; SQLite and PostgreSQL each have a form of it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine

__all__ = ["Backend", "RevisionReader"]


class Backend(Protocol):
    """One place that holds a gallery's tables.

    Attributes:
        name: What to call it in messages; holds no secrets.
        path: The database's file, or else `folder`.
        folder: Where the home's other files are.
        write_options: Execution options of a transaction that writes.
        read_options: Execution options of a transaction that reads one state.
    """

    name: str
    path: Path
    folder: Path
    write_options: Mapping[str, Any]
    read_options: Mapping[str, Any]

    @property
    def snapshot_path(self) -> Path:
        """The file of the index snapshot, which need not be there."""
        ...

    def make(self, fill: Callable[[Connection], None]) -> None:
        """Make the tables if there are none, whole at the moment at which they appear.

        Raises:
            GalleryError: they cannot be made; the message says why.
            GalleryDamagedError: what is there cannot be a gallery.
        """
        ...

    def engine(self, *, foreign_keys: bool = True) -> Engine:
        """Return a pool of connections; without foreign keys, for remaking tables."""
        ...

    def lock(self, connection: Connection) -> None:
        """Make a transaction that begins the only one that writes."""
        ...

    def revision_reader(self) -> "RevisionReader":
        """Return what reads the revision, and whom it changed, with as little ado as can be."""
        ...

    def tidy(self, engine: Engine) -> None:
        """Leave no traces of what was deleted where that can be helped."""
        ...

    def note_numbers(self, connection: Connection) -> None:
        """Have new rows numbered above those that were inserted with their numbers."""
        ...

    def translated(self) -> AbstractContextManager[None]:
        """Raise the system's errors as ours, which say what to do."""
        ...


class RevisionReader(Protocol):
    """Asks what searches ask while others write; safe to use from several threads."""

    def read(self) -> int | None:
        """Return the home's revision; None when it is missing."""
        ...

    def changed_since(self, revision: int) -> frozenset[int]:
        """Return the numbers of the people who were changed after a revision, erased ones too."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...
