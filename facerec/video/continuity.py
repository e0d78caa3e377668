"""Whether a track still shows the face that was decided on. Pure."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["Continuity", "ContinuityRules"]

_TICK_S = 1e-3


@dataclass(frozen=True)
class ContinuityRules:
    """How a decided track is checked.

    Attributes:
        same_face_similarity: Cosine similarity to the face so far under which a look is doubtful.
        every_s: Time between two looks without doubt.
        doubtful_every_s: Time between two looks in doubt.
        doubts: Doubtful looks in a row that break the track, 1 or more. A face that turns away is
            doubtful once, and fit again or gone at the next look.
    """

    same_face_similarity: float
    every_s: float = 1.0
    doubtful_every_s: float = 0.1
    doubts: int = 2


@dataclass(frozen=True, eq=False)
class Continuity:
    """The decided face of a track, and what later looks said; every change returns a new value.

    Attributes:
        rules: How it is checked.
        direction: float32 (d,), unit length: the face that was decided on.
        checked_s: Source clock of the last look.
        doubts: Doubtful looks in a row so far.
    """

    rules: ContinuityRules
    direction: NDArray[np.float32]
    checked_s: float
    doubts: int = 0

    @property
    def is_broken(self) -> bool:
        """Whether the track shows somebody else by now."""
        return self.doubts >= self.rules.doubts

    def is_due(self, clock_s: float) -> bool:
        """Tell whether it is time for a look."""
        every_s = self.rules.doubtful_every_s if self.doubts else self.rules.every_s
        return clock_s - self.checked_s >= every_s - _TICK_S

    def checked(self, embedding: NDArray[np.float32], clock_s: float) -> "Continuity":
        """Take in a look: an embedding (d,), unit length, of a face fit for comparison."""
        alike = float(self.direction @ embedding) >= self.rules.same_face_similarity
        return replace(self, checked_s=clock_s, doubts=0 if alike else self.doubts + 1)
