"""The port through which the monitor asks who a probe is, and its form over a gallery."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facerec.decision import policy
from facerec.decision.decision import Decision
from facerec.decision.recognizer import Recognizer
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import Candidates

__all__ = ["GalleryIdentifier", "Identifier"]


class Identifier(Protocol):
    """Answers probes; safe to share between cameras."""

    def threshold(self) -> float:
        """Return the similarity from which a person is named now."""
        ...

    def nearest(self, probe: NDArray[np.float32]) -> str | None:
        """Return the id of the person most like a probe (d,), however little; None if nobody."""
        ...

    def identify(self, probe: NDArray[np.float32]) -> Decision:
        """Decide who a probe (d,) of unit length is."""
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

    def threshold(self) -> float:
        """Return the similarity from which a person is named, at the galleries' present size."""
        people = {p.profile_id for name in self._galleries for p in self._gallery.list(name)}
        return self._recognizer.operating_point.threshold_at_fpir(
            self._recognizer.target_fpir, len(people)
        )

    def nearest(self, probe: NDArray[np.float32]) -> str | None:
        """Return the id of the person most like a probe (d,); None in an empty gallery."""
        found = self._search(probe, 1)
        return found.profile_ids[0] if len(found) else None

    def identify(self, probe: NDArray[np.float32]) -> Decision:
        """Decide who a probe (d,) of unit length is."""
        return policy.identify(
            self._search(probe, 2),
            operating_point=self._recognizer.operating_point,
            target_fpir=self._recognizer.target_fpir,
            min_margin=self._recognizer.min_margin,
        )

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
