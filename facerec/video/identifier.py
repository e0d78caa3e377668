"""The port through which the monitor asks who a probe is, and its form over a gallery."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facerec.decision.decision import Decision
from facerec.decision.operating_point import OperatingPoint
from facerec.decision.policy import identify
from facerec.gallery.gallery import Gallery

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

    def __init__(
        self,
        gallery: Gallery,
        galleries: Sequence[str],
        operating_point: OperatingPoint,
        *,
        target_fpir: float,
        min_margin: float,
    ) -> None:
        """Answer from `galleries`.

        Args:
            gallery: The open store; the caller closes it.
            galleries: Names of the galleries to search; they exist.
            operating_point: Thresholds of the embedding space that probes lie in.
            target_fpir: Share of strangers that may be named, at the galleries' present size.
            min_margin: Least lead over the second-best person.
        """
        self._gallery = gallery
        self._galleries = tuple(galleries)
        self._operating_point = operating_point
        self._target_fpir = target_fpir
        self._min_margin = min_margin

    def threshold(self) -> float:
        """Return the similarity from which a person is named, at the galleries' present size."""
        people = {p.profile_id for name in self._galleries for p in self._gallery.list(name)}
        return self._operating_point.threshold_at_fpir(self._target_fpir, max(1, len(people)))

    def nearest(self, probe: NDArray[np.float32]) -> str | None:
        """Return the id of the person most like a probe (d,); None in an empty gallery."""
        found = self._gallery.search(
            probe,
            embedding_space=self._operating_point.embedding_space,
            galleries=self._galleries,
            k=1,
        )
        return found.profile_ids[0] if len(found) else None

    def identify(self, probe: NDArray[np.float32]) -> Decision:
        """Decide who a probe (d,) of unit length is."""
        found = self._gallery.search(
            probe,
            embedding_space=self._operating_point.embedding_space,
            galleries=self._galleries,
            k=2,
        )
        return identify(
            found,
            operating_point=self._operating_point,
            target_fpir=self._target_fpir,
            min_margin=self._min_margin,
            flaws=(),
        )

    def name_of(self, profile_id: str) -> str:
        """Return a person's display name."""
        return self._gallery.get(profile_id).name
