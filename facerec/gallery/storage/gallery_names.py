"""Which galleries there are, known without asking at every search."""

from collections.abc import Sequence

from facerec.gallery.storage import reading
from facerec.gallery.storage.database import Database

__all__ = ["GalleryNames"]


class GalleryNames:
    """The names of a home's galleries; safe to use from several threads.

    They are read again when the home's revision is another one, whoever changed it. To ask for the
    revision takes a tenth of the time.
    """

    def __init__(self, database: Database) -> None:
        """Read nothing yet."""
        self._database = database
        self._known: tuple[int, frozenset[str]] = (-1, frozenset())

    def require(self, names: Sequence[str]) -> None:
        """Do nothing if there is a gallery of each name.

        Raises:
            GalleryNotFoundError: there is none of a name; the message names those that there are.
        """
        revision, known = self._known
        if known.issuperset(names) and self._database.revision() == revision:
            return
        with self._database.reading() as connection:
            revision = reading.read_revision(connection)
            self._known = revision, frozenset(reading.gallery_names(connection))
            reading.gallery_numbers(connection, names)
