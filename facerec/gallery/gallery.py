"""The gallery: who is enrolled, and searching among them."""

import copy
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError, EmbeddingSpaceError
from facerec.gallery.audit.event import SYSTEM, Actor, AuditEvent, AuditKind
from facerec.gallery.audit.journal import Journal, Recorder
from facerec.gallery.encryption.master_key import KeyFile, KeySource
from facerec.gallery.enrolling import Enrolled, Enrolling, check_galleries
from facerec.gallery.identifiers import (
    DEFAULT_GALLERY,
    check_display_name,
    check_gallery_name,
)
from facerec.gallery.index.keeper import SNAPSHOT_EVERY, IndexKeeper
from facerec.gallery.index.rules import MAXIMA, IndexRules
from facerec.gallery.life_cycle import LifeCycle, ProfileChange
from facerec.gallery.new_doubles import Compared
from facerec.gallery.profile import (
    Candidates,
    NewProfile,
    NewTemplate,
    Profile,
    ProfileState,
    Template,
)
from facerec.gallery.profile_pages import ProfilePages
from facerec.gallery.reembedding import Reembedder
from facerec.gallery.removals import Removals
from facerec.gallery.storage import reading, writing
from facerec.gallery.storage.choosing_backend import backend_of
from facerec.gallery.storage.counting import GalleryCounts, count_people, read_counts
from facerec.gallery.storage.database import Database
from facerec.gallery.storage.display_names import DisplayNames
from facerec.gallery.storage.gallery_names import GalleryNames
from facerec.gallery.storage.profile_reading import read_profile, read_profiles
from facerec.gallery.times import stored, utc_now

__all__ = ["KEY_FILE_NAME", "Gallery"]

KEY_FILE_NAME = "master.key"
"""The file of the master key, beside the database, unless another source is given."""


class Gallery:
    """The enrolled people of one home: a database that is the truth, and indexes that mirror it.

    Any number of threads and processes may use one home at a time. A search sees every change that
    was committed, here or elsewhere, before it began; it never sees half of one.

    Attributes:
        score: How people are scored by their templates, in searches and comparisons.
        journal: What was changed and decided.
        enrolling: Enrols people.
        life_cycle: Changes and erases them.
        removals: Takes single templates away.
        pages: Lists people a page at a time.
        names: Tells how people are called.
        reembedder: Makes templates of another embedding space.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime] = utc_now,
        snapshot_every: int = SNAPSHOT_EVERY,
        actor: Actor = SYSTEM,
        rules: IndexRules = MAXIMA,
    ) -> None:
        self._database = database
        self._clock = clock
        self.score = rules.score
        self.journal = Journal(database, clock)
        self._recorder = Recorder(self.journal, actor)
        self._galleries = GalleryNames(database)
        self._keeper = IndexKeeper(database, clock, snapshot_every, rules)
        self.enrolling = Enrolling(database, clock, self._recorder)
        self.life_cycle = LifeCycle(database, clock, self._recorder)
        self.removals = Removals(database, self._recorder)
        self.pages = ProfilePages(database, clock)
        self.names = DisplayNames(database, clock)
        self.reembedder = Reembedder(database, clock, self._recorder)

    @classmethod
    def open(
        cls,
        path: Path,
        keys: KeySource | None = None,
        clock: Callable[[], datetime] = utc_now,
        snapshot_every: int = SNAPSHOT_EVERY,
        actor: Actor = SYSTEM,
        url: str = "",
        rules: IndexRules = MAXIMA,
    ) -> Self:
        """Open the gallery in an SQLite file, which is made when there is none.

        Args:
            path: The file; with a `url` only its folder counts.
            keys: Where the master key comes from; None for the file ``master.key`` beside it.
            clock: Tells the present moment, with its time zone.
            snapshot_every: How many templates must be new for a snapshot of the index to be worth
                writing.
            actor: On whose behalf changes are made, for the audit journal.
            url: A PostgreSQL database in place of the file: ``postgresql://user@host/name``.
            rules: How people are searched for.

        Raises:
            GalleryDamagedError: the file is not a gallery, or a damaged one.
            GalleryError: it cannot be read and written, or a newer facerec made it.
            MasterKeyError: the master key is missing, or is not the one of this gallery.
        """
        keys = keys or KeyFile(path.parent / KEY_FILE_NAME)
        database = Database(backend_of(path, url), keys)
        return cls(database, clock, snapshot_every, actor, rules)

    def by(self, actor: Actor) -> Self:
        """Return this gallery with another on whose behalf changes are made.

        Both are the same open gallery: closing either closes both.
        """
        other = copy.copy(self)
        other._recorder = self._recorder.by(actor)
        other.enrolling = self.enrolling.by(other._recorder)
        other.life_cycle = self.life_cycle.by(other._recorder)
        other.removals = self.removals.by(other._recorder)
        other.reembedder = Reembedder(self._database, self._clock, other._recorder)
        return other

    def record(self, *events: AuditEvent) -> None:
        """Enter decisions in the audit journal soon, in the background and together with others.

        What cannot be entered, because the disk is full for instance, is logged, kept and tried
        again; `Journal.flush` waits until all is on the disk.
        """
        self.journal.record(self._recorder.actor, events)

    def record_now(self, *events: AuditEvent) -> None:
        """Enter events in the audit journal; they are on the disk when this returns.

        Raises:
            GalleryError: the gallery cannot be written.
        """
        self.journal.record_now(self._recorder.actor, events)

    def close(self) -> None:
        """Close the database, once all is written that is on its way to it."""
        self.journal.close()
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
    def database(self) -> Database:
        """The truth, for what is done to all of it: a backup, or new templates of everybody."""
        return self._database

    @property
    def path(self) -> Path:
        """The database's file; of a gallery on a server the folder of what else belongs to it."""
        return self._database.backend.path

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
        rotated = AuditEvent(AuditKind.MASTER_KEY_ROTATED)
        return self._database.rotate_master_key(
            lambda connection: self.journal.append(connection, self._recorder.actor, [rotated])
        )

    def save_snapshot(self) -> bool:
        """Write a snapshot of the index for the next process, as `IndexKeeper.save`."""
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
                event = AuditEvent(AuditKind.GALLERY_CREATED, place=name)
                self._recorder.change(connection, [], event)

    def galleries(self) -> tuple[str, ...]:
        """Return the names of all galleries, sorted."""
        with self._database.reading() as connection:
            return reading.gallery_names(connection)

    def counts(self) -> GalleryCounts:
        """Return how many people and templates there are."""
        with self._database.reading() as connection:
            return read_counts(connection)

    def people_by_gallery(self) -> Mapping[str, int]:
        """Return how many people are in each gallery, by its name."""
        with self._database.reading() as connection:
            return count_people(connection)

    def require_galleries(self, names: Sequence[str]) -> None:
        """Do nothing if there is a gallery of each name.

        Raises:
            GalleryNotFoundError: there is none of a name; the message names those that there are.
        """
        self._galleries.require(check_galleries(names))

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
        compared: Compared | None = None,
    ) -> Profile:
        """Enrol a person, of whom `NewProfile` describes each part; see `enrol_many`."""
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
        (wanted,) = self.enrol_many([person], compared).profile_ids
        return self.get(wanted)

    def enrol_many(
        self, people: Sequence[NewProfile], compared: Compared | None = None
    ) -> Enrolled:
        """Enrol several people in one transaction, as `Enrolling.enrol_many`."""
        return self.enrolling.enrol_many(people, compared)

    def add_templates(self, profile_id: str, templates: Sequence[NewTemplate]) -> Profile:
        """Add templates to a person.

        Raises:
            ProfileNotFoundError: no profile has that id.
            EmbeddingSpaceError: an embedding has another length than those of its space.
        """
        self.enrolling.add_templates(profile_id, templates)
        return self.get(profile_id)

    def add_to_galleries(self, profile_id: str, galleries: Sequence[str]) -> Profile:
        """Put a person into more galleries.

        Raises:
            ProfileNotFoundError: no profile has that id.
            GalleryNotFoundError: no gallery has a given name.
        """
        self.enrolling.add_to_galleries(profile_id, galleries)
        return self.get(profile_id)

    def set_state(self, profile_id: str, state: ProfileState) -> Profile:
        """Suspend a person, who is then not matched any more, or make them active again.

        Raises:
            ProfileNotFoundError: no profile has that id.
        """
        self.life_cycle.update(profile_id, ProfileChange(state=state))
        return self.get(profile_id)

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
        min_revision: int = 0,
    ) -> Candidates:
        """Return the active people most like a probe, one entry a person, most alike first.

        A person is scored by their templates in the probe's space as `IndexRules.score` says. Equal
        scores come in order of enrolment. No search waits for a writer: docs/gallery.md.

        Args:
            probe: float32 (d,), unit length.
            embedding_space: Space that the probe lies in.
            galleries: Galleries to search, at least one.
            k: How many people, at least 1.
            min_revision: The answer must be of this revision or a later one.

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
        check_galleries(galleries)
        return self._keeper.search(probe, embedding_space, galleries, k, min_revision)
