"""The port through which the monitor asks who a probe is, and its form over a gallery."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facerec.decision import policy
from facerec.decision.decision import Decision
from facerec.decision.recognizer import Recognizer
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import Candidates
from facerec.video.evidence import FusedProbe

__all__ = ["GalleryIdentifier", "Identifier"]


class Identifier(Protocol):
    """Answers probes; safe to share between cameras."""

    def threshold(self) -> float:
        """Return the similarity from which a person is named now."""
        ...

    def nearest(self, probe: NDArray[np.float32]) -> str | None:
        """Return the id of the person most like a probe (d,), however little; None if nobody."""
        ...

    def identify(self, probe: FusedProbe) -> Decision:
        """Decide who several looks at one face show."""
        ...

    def name_of(self, profile_id: str) -> str:
        """Return the display name of a person that `identify` answered."""
        ...


class GalleryIdentifier:
    """An `Identifier` by search in named galleries at an operating point."""

    def __init__(self, recognizer: Recognizer, gallery: Gallery, galleries: Sequence[str]) -> None:
        """Answer from `galleries`.

        Args:
            recognizer: Error rates to decide at, and the space that probes lie in.
            gallery: The open store; the caller closes it.
            galleries: Names of the galleries to search; they exist.
        """
        self._recognizer = recognizer
        self._gallery = gallery
        self._galleries = tuple(galleries)
        self._counted = _Size(-1, 0, 0)

    def threshold(self) -> float:
        """Return the similarity from which a person is named, at the galleries' present size."""
        size = self._size()
        return self._recognizer.operating_point.threshold_at_fpir(
            self._recognizer.target_fpir, size.people, size.templates
        )

    def nearest(self, probe: NDArray[np.float32]) -> str | None:
        """Return the id of the person most like a probe (d,); None in an empty gallery."""
        found = self._search(probe, 1)
        return found.profile_ids[0] if len(found) else None

    def identify(self, probe: FusedProbe) -> Decision:
        """Decide who several looks at one face show, by the mean of their similarities."""
        found = self._search(probe.direction, 2)
        similarities = (found.similarities * probe.coherence).astype(np.float32)
        decision = policy.identify(
            replace(found, similarities=similarities),
            operating_point=self._recognizer.operating_point,
            target_fpir=self._recognizer.target_fpir,
            min_margin=self._recognizer.min_margin,
        )
        if decision.profile_id is not None:
            self._gallery.life_cycle.note_seen(decision.profile_id)
        return decision

    def name_of(self, profile_id: str) -> str:
        """Return a person's display name."""
        return self._gallery.get(profile_id).name

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
