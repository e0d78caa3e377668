"""The gallery: who is enrolled, and searching among them."""

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError, EmbeddingSpaceError, GalleryError
from facerec.gallery import reading, writing
from facerec.gallery.database import Database
from facerec.gallery.identifiers import (
    DEFAULT_GALLERY,
    check_display_name,
    check_gallery_name,
    check_profile_id,
    new_profile_id,
)
from facerec.gallery.index_set import IndexSet
from facerec.gallery.profile import Candidates, NewTemplate, Profile, ProfileState, Template

__all__ = ["Gallery"]


class Gallery:
    """The enrolled people of one home: a database that is the truth, and indexes that mirror it.

    Any number of threads and processes may use one home at a time. A search sees every change that
    was committed, here or elsewhere, before it began; it never sees half of one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._indexes = IndexSet()
        self._refreshing = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the gallery in an SQLite file, which is made when there is none.

        Raises:
            GalleryDamagedError: the file is not a gallery, or a damaged one.
            GalleryError: it cannot be read and written, or a newer facerec made it.
        """
        return cls(Database(path))

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def revision(self) -> int:
        """How often the gallery has been changed, by any process."""
        with self._database.reading() as connection:
            return reading.read_revision(connection)

    def create_gallery(self, name: str) -> None:
        """Make an empty gallery; one that exists stays as it is.

        Raises:
            GalleryError: the name is not fit for one.
        """
        check_gallery_name(name)
        with self._database.writing() as connection:
            if writing.insert_gallery(connection, name):
                writing.record_change(connection, [])

    def galleries(self) -> tuple[str, ...]:
        """Return the names of all galleries, sorted."""
        with self._database.reading() as connection:
            return reading.gallery_names(connection)

    def require_galleries(self, names: Sequence[str]) -> None:
        """Do nothing if there is a gallery of each name.

        Raises:
            GalleryNotFoundError: there is none of a name; the message names those that there are.
        """
        with self._database.reading() as connection:
            reading.gallery_numbers(connection, _check_galleries(names))

    def enrol(
        self,
        name: str,
        templates: Sequence[NewTemplate],
        *,
        galleries: Sequence[str] = (DEFAULT_GALLERY,),
        profile_id: str | None = None,
        consent: str = "",
    ) -> Profile:
        """Enrol a person; all is stored, or nothing is.

        Args:
            name: Display name, 1 to 200 characters; need not be unique.
            templates: At least one.
            galleries: At least one that exists.
            profile_id: An id to use; None for a random one.
            consent: Reference to the evidence of consent.

        Returns:
            The profile; every search that begins from now on can find it.

        Raises:
            ProfileExistsError: the id is taken.
            GalleryNotFoundError: no gallery has a given name.
            EmbeddingSpaceError: an embedding has another length than those of its space.
            GalleryError: the name, the id or the number of templates is not fit.
        """
        name = check_display_name(name)
        if not templates:
            raise GalleryError("a person is enrolled with at least one template; received none")
        wanted = new_profile_id() if profile_id is None else check_profile_id(profile_id)
        with self._database.writing() as connection:
            numbers = reading.gallery_numbers(connection, _check_galleries(galleries))
            number = writing.insert_profile(connection, wanted, name, consent)
            writing.insert_memberships(connection, number, numbers)
            writing.insert_templates(connection, number, templates)
            writing.record_change(connection, [number])
            return reading.read_profile(connection, wanted)

    def add_templates(self, profile_id: str, templates: Sequence[NewTemplate]) -> Profile:
        """Add templates to a person.

        Raises:
            ProfileNotFoundError: no profile has that id.
            EmbeddingSpaceError: an embedding has another length than those of its space.
        """
        with self._database.writing() as connection:
            number = reading.profile_number(connection, profile_id)
            writing.insert_templates(connection, number, templates)
            writing.record_change(connection, [number])
            return reading.read_profile(connection, profile_id)

    def add_to_galleries(self, profile_id: str, galleries: Sequence[str]) -> Profile:
        """Put a person into more galleries.

        Raises:
            ProfileNotFoundError: no profile has that id.
            GalleryNotFoundError: no gallery has a given name.
        """
        with self._database.writing() as connection:
            number = reading.profile_number(connection, profile_id)
            numbers = reading.gallery_numbers(connection, _check_galleries(galleries))
            writing.insert_memberships(connection, number, numbers)
            writing.record_change(connection, [number])
            return reading.read_profile(connection, profile_id)

    def set_state(self, profile_id: str, state: ProfileState) -> Profile:
        """Suspend a person, who is then not matched any more, or make them active again.

        Raises:
            ProfileNotFoundError: no profile has that id.
        """
        with self._database.writing() as connection:
            number = reading.profile_number(connection, profile_id)
            writing.update_state(connection, number, state)
            writing.record_change(connection, [number])
            return reading.read_profile(connection, profile_id)

    def get(self, profile_id: str) -> Profile:
        """Return one person.

        Raises:
            ProfileNotFoundError: no profile has that id.
        """
        with self._database.reading() as connection:
            return reading.read_profile(connection, profile_id)

    def list(self, gallery: str | None = None) -> tuple[Profile, ...]:
        """Return the people of a gallery, or all, in the order in which they were enrolled.

        Raises:
            GalleryNotFoundError: no gallery has that name.
        """
        with self._database.reading() as connection:
            return reading.read_profiles(connection, gallery)

    def templates(self, profile_id: str) -> tuple[Template, ...]:
        """Return a person's templates, oldest first.

        Raises:
            ProfileNotFoundError: no profile has that id.
        """
        with self._database.reading() as connection:
            return reading.read_templates(connection, profile_id)

    def references(self, profile_id: str, embedding_space: str) -> NDArray[np.float32]:
        """Return what a probe of that space is compared with in 1:1, float32 (n, d), n >= 1.

        Raises:
            ProfileNotFoundError: no profile has that id.
            EmbeddingSpaceError: the person has no template in that space.
        """
        templates = self.templates(profile_id)
        found = [t.embedding for t in templates if t.embedding_space == embedding_space]
        if not found:
            raise EmbeddingSpaceError(
                f"the profile {profile_id} has no template in the embedding space "
                f"{embedding_space}: add one, or set analysis.embedder to the network that it was "
                "enrolled with"
            )
        return np.stack(found)

    def enrolled_content(self, name: str) -> dict[str, frozenset[str]]:
        """Return, for each profile of a display name, the SHA-256 of its templates' pictures."""
        with self._database.reading() as connection:
            return reading.enrolled_content(connection, check_display_name(name))

    def search(
        self,
        probe: NDArray[np.float32],
        *,
        embedding_space: str,
        galleries: Sequence[str] = (DEFAULT_GALLERY,),
        k: int = 2,
    ) -> Candidates:
        """Return the active people most like a probe, one entry a person, most alike first.

        A person's score is the highest over their templates in the probe's space. People with the
        same score come in the order in which they were enrolled.

        Args:
            probe: float32 (d,), unit length.
            embedding_space: Space that the probe lies in.
            galleries: Galleries to search, at least one.
            k: How many people, at least 1.

        Raises:
            ArrayError: the probe is not a unit vector of the space's length, or `k` is under 1.
            GalleryNotFoundError: no gallery has a given name.
            EmbeddingSpaceError: people are enrolled there, but nobody in the probe's space.
        """
        if probe.ndim != 1 or probe.dtype != np.float32 or k < 1:
            raise ArrayError(
                f"probe must be float32 of shape (d,) and k at least 1; received {probe.dtype} "
                f"of shape {probe.shape} and {k}"
            )
        if not abs(float(probe @ probe) - 1.0) < 1e-2:
            raise ArrayError("probe must be finite and of unit length")
        return self._current().search(probe, embedding_space, _check_galleries(galleries), k)

    def _current(self) -> IndexSet:
        """Return the indexes of the present revision; one thread at a time brings them there."""
        indexes = self._indexes
        if indexes.revision == self.revision:
            return indexes
        with self._refreshing, self._database.reading() as connection:
            known, present = self._indexes, reading.read_revision(connection)
            if known.revision != present:
                if known.revision > present:  # another database took this one's place
                    known = IndexSet()
                self._indexes = known.updated(reading.read_changes(connection, known.revision))
            return self._indexes


def _check_galleries(galleries: Sequence[str]) -> Sequence[str]:
    if not galleries:
        raise GalleryError("name at least one gallery")
    return galleries
