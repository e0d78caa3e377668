"""The port through which the monitor asks who a probe is, and its form over a gallery."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facerec.decision import policy
from facerec.decision.decision import Decision, Outcome, Reason
from facerec.decision.recognizer import Recognizer
from facerec.errors import ProfileNotFoundError
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import Candidates
from facerec.video.evidence import FusedProbe
from facerec.video.sequential_test import (
    SequentialEvidence,
    effective_looks,
    share_of_attempt,
    stranger_bound,
)

__all__ = ["GalleryIdentifier", "Identified", "Identifier"]


@dataclass(frozen=True)
class Identified:
    """The answer about several looks at one face.

    Attributes:
        decision: At the operating point.
        evidence: For its best candidate; None in an empty gallery, and where the operating point
            knows no likelihoods.
    """

    decision: Decision
    evidence: SequentialEvidence | None = None


class Identifier(Protocol):
    """Answers probes; safe to share between cameras."""

    def undecided(self, reasons: tuple[Reason, ...]) -> Decision:
        """Return the decision about a face of which no look was fit for comparison."""
        ...

    def nearest(self, probe: NDArray[np.float32]) -> str | None:
        """Return the id of the person most like a probe (d,), however little; None if nobody."""
        ...

    def identify(self, probe: FusedProbe) -> Identified:
        """Decide who several looks at one face show."""
        ...

    def name_of(self, profile_id: str) -> str | None:
        """Return the display name of a person that `identify` answered; None if erased since."""
        ...


class GalleryIdentifier:
    """An `Identifier` by search in named galleries at an operating point."""

    def __init__(
        self,
        recognizer: Recognizer,
        gallery: Gallery,
        galleries: Sequence[str],
        max_fmr: float = 1.0,
    ) -> None:
        """Answer from `galleries`.

        Args:
            recognizer: Error rates to decide at, and the space that probes lie in.
            gallery: The open store; the caller closes it.
            galleries: Names of the galleries to search; they exist.
            max_fmr: Nobody is named on a similarity that a larger share of non-mated comparisons
                reaches: for few people the rate of identification alone asks for little.
        """
        self._recognizer = recognizer
        self._gallery = gallery
        self._galleries = tuple(galleries)
        self._least = -1.0
        if max_fmr < 1:
            self._least = recognizer.operating_point.threshold_at_fmr(max_fmr)
        self._counted = _Size(-1, 0, 0)

    def undecided(self, reasons: tuple[Reason, ...]) -> Decision:
        """Return the decision about a face of which no look was fit for comparison."""
        size, point = self._size(), self._recognizer.operating_point
        return Decision(
            Outcome.UNDECIDED,
            None,
            None,
            point.threshold_at_fpir(
                self._rate(size.people, size.templates), size.people, size.templates
            ),
            None,
            reasons,
            operating_point=point.name,
            embedding_space=point.embedding_space,
            revision=size.revision,
        )

    def nearest(self, probe: NDArray[np.float32]) -> str | None:
        """Return the id of the person most like a probe (d,); None in an empty gallery."""
        found = self._search(probe, 1)
        return found.profile_ids[0] if len(found) else None

    def identify(self, probe: FusedProbe) -> Identified:
        """Decide who several looks at one face show, by the mean of their similarities."""
        found = self._search(probe.direction, 2)
        similarities = (found.similarities * probe.coherence).astype(np.float32)
        decision = policy.identify(
            replace(found, similarities=similarities),
            operating_point=self._recognizer.operating_point,
            target_fpir=self._rate(found.searched, found.templates, probe.attempt),
            min_margin=self._recognizer.min_margin,
        )
        if decision.profile_id is not None:
            self._gallery.life_cycle.note_seen(decision.profile_id)
        return Identified(decision, self._evidence(decision, probe, found.searched))

    def _rate(self, people: int, templates: int, attempt: int = 1) -> float:
        """Return the rate to decide at: that asked for, or less where it allows too much.

        A later attempt on the same track has its share of that, down to what the operating point
        can still foretell.
        """
        point, asked = self._recognizer.operating_point, self._recognizer.target_fpir
        first = min(asked, point.fpir_at(self._least, templates or people))
        least = min(first, point.lowest_fpir(max(people, templates)))
        return max(first * share_of_attempt(attempt), least)

    def _evidence(
        self, decision: Decision, probe: FusedProbe, people: int
    ) -> SequentialEvidence | None:
        """Weigh the looks at a face by the operating point's likelihoods."""
        if decision.similarity is None:
            return None
        point = self._recognizer.operating_point
        value = point.log_likelihood_ratio(decision.similarity, probe.quality)
        upper = point.log_likelihood_ratio(decision.threshold, probe.quality)
        if value is None or upper is None:
            return None
        looks = effective_looks(probe.looks)
        return SequentialEvidence(value * looks, stranger_bound(people), upper * looks)

    def name_of(self, profile_id: str) -> str | None:
        """Return a person's display name; None for one who was erased since they were found."""
        with suppress(ProfileNotFoundError):
            return self._gallery.get(profile_id).name
        return None

    def _search(self, probe: NDArray[np.float32], people: int) -> Candidates:
        return self._gallery.search(
            probe,
            embedding_space=self._recognizer.embedding_space,
            galleries=self._galleries,
            k=people,
        )

    def _size(self) -> "_Size":
        """Count people and templates; read again only when the gallery has changed."""
        revision = self._gallery.revision
        if self._counted.revision != revision:
            templates = {
                profile.profile_id: profile.templates
                for name in self._galleries
                for profile in self._gallery.list(name)
            }
            self._counted = _Size(revision, len(templates), sum(templates.values()))
        return self._counted


@dataclass(frozen=True)
class _Size:
    """How much there is to be mistaken for.

    Attributes:
        revision: Of the gallery, when it was counted.
        people: In the galleries searched.
        templates: Theirs.
    """

    revision: int
    people: int
    templates: int
