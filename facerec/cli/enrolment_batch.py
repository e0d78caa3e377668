"""People who were analysed and wait to be stored together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from facerec.cli.enrolment_result import EnrolmentResult
from facerec.cli.people_to_enrol import Person
from facerec.errors import (
    EmbeddingSpaceError,
    GalleryNotFoundError,
    ProfileExistsError,
    ProfileNotFoundError,
)
from facerec.gallery.gallery import Gallery
from facerec.gallery.new_doubles import Compared
from facerec.gallery.profile import NewProfile, NewTemplate

__all__ = ["THEIRS", "EnrolmentBatch", "Prepared"]

THEIRS = (ProfileExistsError, ProfileNotFoundError, GalleryNotFoundError, EmbeddingSpaceError)
"""Errors of one person's enrolment; others (a full disk) would meet everybody who follows."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """What is to come of a person.

    Attributes:
        result: That; without a profile yet if they are to be stored.
        newcomer: What is to be stored of them; None for nothing.
        against: With whom the newcomer was compared; None when doubles are to be enrolled too.
    """

    result: EnrolmentResult
    newcomer: NewProfile | None = None
    against: Compared | None = None


class EnrolmentBatch:
    """Results in the order in which they came, those of newcomers final once they are stored."""

    def __init__(self, gallery: Gallery) -> None:
        """Store into a gallery."""
        self._gallery = gallery
        self._waiting: list[Prepared] = []
        self._done: list[EnrolmentResult] = []

    def __len__(self) -> int:
        return len(self._waiting) + len(self._done)

    def add(self, prepared: Prepared) -> None:
        """Take a person in."""
        self._waiting.append(prepared)

    def may_hold(self, person: Person) -> bool:
        """Say whether somebody of that name or external id waits."""
        return any(
            newcomer.name == person.name
            or (person.external_id and newcomer.external_id == person.external_id)
            for newcomer in self._newcomers()
        )

    def resembles(self, templates: Sequence[NewTemplate], similarity: float) -> bool:
        """Say whether somebody who waits is that like one of the templates."""
        waiting = [t.embedding for newcomer in self._newcomers() for t in newcomer.templates]
        if not waiting:
            return False
        probes = np.stack([template.embedding for template in templates])
        return bool((np.stack(waiting) @ probes.T).max() >= similarity)

    def store(self) -> Iterator[EnrolmentResult]:
        """Store who waits and yield all results that were not yielded yet.

        Raises:
            GalleryError: nobody can be stored.
        """
        self.flush()
        while self._done:
            yield self._done.pop(0)

    def flush(self) -> None:
        """Store who waits; their results are kept for `store`.

        Raises:
            GalleryError: nobody can be stored.
        """
        newcomers = list(self._newcomers())
        try:
            stored = iter(self._gallery.enrol_many(newcomers, self._against()).profile_ids)
        except THEIRS:  # one of them cannot be: the others can
            self._done += [self._stored_alone(each) for each in self._waiting]
        else:
            self._done += [
                replace(each.result, profile_id=next(stored)) if each.newcomer else each.result
                for each in self._waiting
            ]
        self._waiting = []

    def _stored_alone(self, prepared: Prepared) -> EnrolmentResult:
        if prepared.newcomer is None:
            return prepared.result
        try:
            enrolled = self._gallery.enrol_many([prepared.newcomer], prepared.against)
        except THEIRS as error:
            return replace(prepared.result, templates=0, problem=str(error))
        return replace(prepared.result, profile_id=enrolled.profile_ids[0])

    def _newcomers(self) -> Iterator[NewProfile]:
        return (each.newcomer for each in self._waiting if each.newcomer is not None)

    def _against(self) -> Compared | None:
        """Return with whom all who wait were compared."""
        every = [each.against for each in self._waiting if each.against is not None]
        if not every:
            return None
        return Compared(
            min(each.revision for each in every), min(each.similarity for each in every)
        )
