"""How many vectors are kept in lists, so that it need not be found out again."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["ListPlan"]

_OTHERS_AT_MOST = 0.1
"""What was measured of some vectors is taken to hold while so large a share came or went."""


@dataclass(frozen=True, eq=False)
class ListPlan:
    """How vectors are kept in lists, and what was measured of searching them so.

    Attributes:
        count: Number of vectors that it was made for.
        turn: float32 (d, e), e >= d: turns vectors into those that have codes.
        centres: float32 (lists, e): what the lists are around.
        levels: float32 (n,): what the codes of vectors stand for, as FAISS keeps it.
        read: Number of lists that are read for a probe.
        depth: By how many deviations above the mean of all a code must be like the probe.
        recall: Share of enrolled people's probes whose best vector was found.
        recall_of_strangers: Share of strangers' probes, as many, whose best vector was found.
        probes: Number of both.
    """

    count: int
    turn: NDArray[np.float32] = field(repr=False)
    centres: NDArray[np.float32] = field(repr=False)
    levels: NDArray[np.float32] = field(repr=False)
    read: int
    depth: float
    recall: float
    recall_of_strangers: float
    probes: int

    def fits(self, count: int, size: int) -> bool:
        """Whether it holds for so many vectors of so many numbers."""
        change = abs(count - self.count)
        return size == len(self.turn) and change <= _OTHERS_AT_MOST * self.count
