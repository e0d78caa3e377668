"""The gallery: who is enrolled, and searching among them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

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
from facerec.gallery.index_keeper import SNAPSHOT_EVERY, IndexKeeper
from facerec.gallery.life_cycle import LifeCycle, ProfileChange
from facerec.gallery.master_key import KeyFile, KeySource
from facerec.gallery.profile import (
    Candidates,
    Consent,
    NewProfile,
    NewTemplate,
    Profile,
    ProfileState,
    Template,
)
from facerec.gallery.profile_reading import read_profile, read_profiles
from facerec.gallery.times import stored, utc_now

__all__ = ["KEY_FILE_NAME", "Gallery"]

KEY_FILE_NAME = "master.key"
"""The file of the master key, beside the database, unless another source is given."""


class Gallery:
    """The enrolled people of one home: a database that is the truth, and indexes that mirror it.

    Any number of threads and processes may use one home at a time. A search sees every change that
    was committed, here or elsewhere, before it began; it never sees half of one.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime] = utc_now,
        snapshot_every: int = SNAPSHOT_EVERY,
    ) -> None:
        self._database = database
        self._clock = clock
        self._keeper = IndexKeeper(database, clock, snapshot_every)
        self.life_cycle = LifeCycle(database, clock)

    @classmethod
    def open(
        cls,
        path: Path,
        keys: KeySource | None = None,
        clock: Callable[[], datetime] = utc_now,
        snapshot_every: int = SNAPSHOT_EVERY,
    ) -> Self:
        """Open the gallery in an SQLite file, which is made when there is none.

        Args:
            path: The file.
            keys: Where the master key comes from; None for the file ``master.key`` beside it.
            clock: Tells the present moment, with its time zone.
            snapshot_every: How many templates must be new for a snapshot of the index to be worth
                writing.

        Raises:
            GalleryDamagedError: the file is not a gallery, or a damaged one.
            GalleryError: it cannot be read and written, or a newer facerec made it.
            MasterKeyError: the master key is missing, or is not the one of this gallery.
        """
        database = Database(path, keys or KeyFile(path.parent / KEY_FILE_NAME))
        return cls(database, clock, snapshot_every)

    def close(self) -> None:
        """Close the database, once a snapshot that is being written is done."""
        self._keeper.close()
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
    def path(self) -> Path:
        """The database's file."""
        return self._database.path

    @property
    def revision(self) -> int:
        """How often the gallery has been changed, by any process."""
        return self._database.revision()

    @property
    def master_key_id(self) -> str:
        """Id of the master key in use, which tells nothing of the key."""
        return self._database.vault.master_key_id

    def rotate_master_key(self) -> int:
        """Wrap all data keys with a new master key; what they seal stays as it is.

        Returns:
            How many people's keys were wrapped again.

        Raises:
            MasterKeyError: the source of the key has no new one.
        """
        return self._database.rotate_master_key()

    def save_snapshot(self) -> bool:
        """Write a snapshot of the index for the next process; return whether it was.

        Raises:
            GalleryError: it cannot be written.
        """
        self._keeper.current()
        return self._keeper.save()

    def create_gallery(self, name: str) -> None:
        """Make an empty gallery; one that exists stays as it is.

        Raises:
            GalleryError: the name is not fit for one.
        """
        check_gallery_name(name)
        with self._database.writing() as connection:
            if writing.insert_gallery(connection, name, self._clock()):
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
        external_id: str = "",
        attributes: Mapping[str, str] | None = None,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
    ) -> Profile:
        """Enrol a person; all is stored, or nothing is.

        Args:
            name: Display name, 1 to 200 characters; need not be unique.
            templates: At least one.
            galleries: At least one that exists.
            profile_id: An id to use; None for a random one.
            consent: Reference to the evidence of consent.
            external_id: Id in the enroller's own records, unique in the home; "" for none.
            attributes: What else to keep of the person, by name.
            valid_from: Matched from this moment; None for at once.
            valid_until: No longer matched from this moment; None for never.

        Returns:
            The profile; every search that begins from now on can find it.

        Raises:
            ProfileExistsError: the id or the external id is taken.
            GalleryNotFoundError: no gallery has a given name.
            EmbeddingSpaceError: an embedding has another length than those of its space.
            GalleryError: the name, the id or the number of templates is not fit.
        """
        person = NewProfile(
            name=name,
            templates=templates,
            galleries=galleries,
            profile_id=profile_id,
            consent=consent,
            external_id=external_id,
            attributes=attributes or {},
            valid_from=valid_from,
            valid_until=valid_until,
        )
        (wanted,) = self.enrol_many([person])
        return self.get(wanted)

    def enrol_many(self, people: Sequence[NewProfile]) -> tuple[str, ...]:
        """Enrol several people in one transaction; all are stored, or nobody is.

        Returns:
            Their ids.

        Raises:
            As `enrol`.
        """
        fit = [_check_person(person) for person in people]
        now = self._clock()
        with self._database.writing() as connection:
            numbers = [self._insert(connection, *person, now) for person in fit]
            writing.record_change(connection, numbers)
        return tuple(profile_id for profile_id, _ in fit)

    def _insert(
        self, connection: Connection, profile_id: str, person: NewProfile, now: datetime
    ) -> int:
        galleries = reading.gallery_numbers(connection, person.galleries)
        vault = self._database.vault
        number, owner = writing.insert_profile(connection, vault, profile_id, person, now)
        writing.insert_memberships(connection, number, galleries)
        writing.insert_templates(connection, number, owner, person.templates, now)
        if person.consent:
            consent = Consent("identification", "consent", person.consent, given=now)
            writing.insert_consent(connection, number, owner, consent)
        return number

    def add_templates(self, profile_id: str, templates: Sequence[NewTemplate]) -> Profile:
        """Add templates to a person.

        Raises:
            ProfileNotFoundError: no profile has that id.
            EmbeddingSpaceError: an embedding has another length than those of its space.
        """
        with self._changing(profile_id) as (connection, number):
            owner = reading.owner_of(connection, self._database.vault, number)
            writing.insert_templates(connection, number, owner, templates, self._clock())
        return self.get(profile_id)

    def add_to_galleries(self, profile_id: str, galleries: Sequence[str]) -> Profile:
        """Put a person into more galleries.

        Raises:
            ProfileNotFoundError: no profile has that id.
            GalleryNotFoundError: no gallery has a given name.
        """
        with self._changing(profile_id) as (connection, number):
            numbers = reading.gallery_numbers(connection, _check_galleries(galleries))
            writing.insert_memberships(connection, number, numbers)
        return self.get(profile_id)

    def set_state(self, profile_id: str, state: ProfileState) -> Profile:
        """Suspend a person, who is then not matched any more, or make them active again.

        Raises:
            ProfileNotFoundError: no profile has that id.
        """
        self.life_cycle.update(profile_id, ProfileChange(state=state))
        return self.get(profile_id)

    @contextmanager
    def _changing(self, profile_id: str) -> Iterator[tuple[Connection, int]]:
        """Change one person, and say that they were changed."""
        with self._database.writing() as connection:
            number = reading.profile_number(connection, profile_id)
            yield connection, number
            writing.record_change(connection, [number])

    def get(self, profile_id: str) -> Profile:
        """Return one person.

        Raises:
            ProfileNotFoundError: no profile has that id.
        """
        with self._database.reading() as connection:
            return read_profile(connection, self._database.vault, profile_id, stored(self._clock()))

    def list(self, gallery: str | None = None) -> tuple[Profile, ...]:
        """Return the people of a gallery, or all, in the order in which they were enrolled.

        Raises:
            GalleryNotFoundError: no gallery has that name.
        """
        with self._database.reading() as connection:
            return read_profiles(connection, self._database.vault, gallery, stored(self._clock()))

    def templates(self, profile_id: str) -> tuple[Template, ...]:
        """Return a person's templates, oldest first.

        Raises:
            ProfileNotFoundError: no profile has that id.
        """
        with self._database.reading() as connection:
            return reading.read_templates(connection, self._database.vault, profile_id)

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
            vault = self._database.vault
            return reading.enrolled_content(connection, vault, check_display_name(name))

    def find_external(self, external_id: str) -> str | None:
        """Return the id of the profile with an external id; None when there is none."""
        with self._database.reading() as connection:
            return reading.find_external(connection, self._database.vault, external_id)

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
        return self._keeper.current().search(probe, embedding_space, _check_galleries(galleries), k)


def _check_galleries(galleries: Sequence[str]) -> Sequence[str]:
    if not galleries:
        raise GalleryError("name at least one gallery")
    return galleries


def _check_person(person: NewProfile) -> tuple[str, NewProfile]:
    """Return the id that a person is to have, and what is to be stored of them."""
    if not person.templates:
        raise GalleryError("a person is enrolled with at least one template; received none")
    _check_galleries(person.galleries)
    name = check_display_name(person.name)
    wanted = person.profile_id
    wanted = new_profile_id() if wanted is None else check_profile_id(wanted)
    return wanted, replace(person, name=name)
