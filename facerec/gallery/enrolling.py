"""Enrolling people, adding to what is held of them, and knowing again who was enrolled before."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from facerec.errors import GalleryError
from facerec.gallery.audit.event import AuditEvent, AuditKind
from facerec.gallery.audit.journal import Recorder
from facerec.gallery.identifiers import check_display_name, check_profile_id, new_profile_id
from facerec.gallery.index.dormant import DormantPeople
from facerec.gallery.new_doubles import Compared, refuse_new_doubles
from facerec.gallery.profile import NewProfile, NewTemplate
from facerec.gallery.storage import reading, writing
from facerec.gallery.storage.belonging import Belonging
from facerec.gallery.storage.database import Database
from facerec.gallery.storage.inserting import insert_people

__all__ = ["Enrolled", "Enrolling", "check_galleries"]


@dataclass(frozen=True)
class Enrolled:
    """People who were enrolled together.

    Attributes:
        profile_ids: Their ids, in the order in which they were handed in.
        revision: Every search of this revision or a later one can find them.
    """

    profile_ids: tuple[str, ...]
    revision: int


class Enrolling:
    """Enrols the people of one database."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], recorder: Recorder
    ) -> None:
        """Work on a database; `clock` tells the present moment."""
        self._database = database
        self._clock = clock
        self._recorder = recorder
        self._dormant = DormantPeople(database, clock)

    def by(self, recorder: Recorder) -> Self:
        """Return the same that records on another's behalf."""
        other = copy.copy(self)
        other._recorder = recorder
        return other

    def enrol_many(
        self, people: Sequence[NewProfile], compared: Compared | None = None
    ) -> Enrolled:
        """Enrol several people in one transaction; all are stored, or nobody is.

        Args:
            people: Whom.
            compared: With whom they were compared, so that two who enrol one person in the same
                moment do not both; None to enrol whatever others do.

        Raises:
            SamePersonError: somebody who may be one of them was enrolled since `compared`.
            ProfileExistsError: an id or an external id is taken.
            GalleryNotFoundError: no gallery has a given name.
            EmbeddingSpaceError: an embedding has another length than those of its space.
            GalleryError: a name, an id or a number of templates is not fit.
        """
        fit = [_fit(person) for person in people]
        if not fit:
            return Enrolled((), self._database.revision())
        now = self._clock()
        vault = self._database.vault
        with self._database.writing() as connection:
            if compared is not None:
                refuse_new_doubles(connection, vault, people, compared)
            numbers = insert_people(connection, vault, fit, now)
            events = (_enrolled(*person) for person in fit)
            revision = self._recorder.change(connection, numbers, *events)
        return Enrolled(tuple(profile_id for profile_id, _ in fit), revision)

    def add_templates(self, profile_id: str, templates: Sequence[NewTemplate]) -> int:
        """Add templates to a person, as `Gallery.add_templates`; return the revision of it."""
        event = AuditEvent(
            AuditKind.TEMPLATES_ADDED,
            profile_id=profile_id,
            reasons=_overridden(templates),
            embedding_space=_spaces(templates),
            note=f"{len(templates)} template(s)",
        )
        with self._changing(profile_id, event) as (connection, number, revision):
            owner = reading.owner_of(connection, self._database.vault, number)
            writing.insert_templates(
                connection, [Belonging(number, owner, templates)], self._clock()
            )
        return revision

    def add_to_galleries(self, profile_id: str, galleries: Sequence[str]) -> int:
        """Put a person into more galleries, as `Gallery.add_to_galleries`; return the revision."""
        event = AuditEvent(
            AuditKind.PROFILE_UPDATED,
            profile_id=profile_id,
            place=", ".join(galleries),
            note="added to galleries",
        )
        with self._changing(profile_id, event) as (connection, number, revision):
            numbers = reading.gallery_numbers(connection, check_galleries(galleries))
            writing.insert_memberships(connection, number, numbers)
        return revision

    def content_of(self, profile_id: str) -> frozenset[str]:
        """Return the SHA-256 of the pictures that a person's templates were made of.

        Raises:
            ProfileNotFoundError: no profile has that id.
        """
        with self._database.reading() as connection:
            return reading.content_of(connection, self._database.vault, profile_id)

    def named(self, name: str) -> tuple[str, ...]:
        """Return the ids of the profiles of a display name, in the order of their enrolment."""
        with self._database.reading() as connection:
            return reading.profiles_named(
                connection, self._database.vault, check_display_name(name)
            )

    def most_alike_dormant(
        self, probe: NDArray[np.float32], embedding_space: str
    ) -> tuple[tuple[str, float], ...]:
        """Return the two most alike of those who are not matched now, as id and similarity.

        They are the suspended and those outside their validity, whom `Gallery.search` passes over
        and a check for double enrolment must not.
        """
        return self._dormant.most_alike(probe, embedding_space)

    def people_without(self, embedding_space: str) -> int:
        """Return how many people have no template of a space, and so cannot be compared in it."""
        with self._database.reading() as connection:
            return reading.count_without(connection, embedding_space)

    def templates(self) -> int:
        """Return how many templates are stored, whether their people are matched now or not."""
        return self._dormant.templates()

    @contextmanager
    def _changing(
        self, profile_id: str, event: AuditEvent
    ) -> Iterator[tuple[Connection, int, int]]:
        """Change one person, of a number, in a revision; say that they were changed."""
        with self._database.writing() as connection:
            number = reading.profile_number(connection, profile_id)
            yield connection, number, self._recorder.change(connection, [number], event)


def check_galleries(galleries: Sequence[str]) -> Sequence[str]:
    """Return names of galleries, of which there must be one.

    Raises:
        GalleryError: there is none.
    """
    if not galleries:
        raise GalleryError("name at least one gallery")
    return galleries


def _fit(person: NewProfile) -> tuple[str, NewProfile]:
    """Return the id that a person is to have, and what is to be stored of them."""
    if not person.templates:
        raise GalleryError("a person is enrolled with at least one template; received none")
    check_galleries(person.galleries)
    name = check_display_name(person.name)
    wanted = person.profile_id
    wanted = new_profile_id() if wanted is None else check_profile_id(wanted)
    return wanted, replace(person, name=name)


def _enrolled(profile_id: str, person: NewProfile) -> AuditEvent:
    """Return what the journal is told of an enrolment."""
    return AuditEvent(
        AuditKind.PROFILE_ENROLLED,
        profile_id=profile_id,
        reasons=_overridden(person.templates),
        embedding_space=_spaces(person.templates),
        place=", ".join(person.galleries),
        note=f"{len(person.templates)} template(s)",
    )


def _overridden(templates: Sequence[NewTemplate]) -> tuple[str, ...]:
    """Return the reasons against pictures that the enroller overrode, each once."""
    return tuple(dict.fromkeys(reason for one in templates for reason in one.accepted))


def _spaces(templates: Sequence[NewTemplate]) -> str:
    return ", ".join(sorted({template.embedding_space for template in templates}))
