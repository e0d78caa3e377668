"""The far tail of non-mated similarities by extreme value theory."""

import math
from dataclasses import dataclass

from facerec.errors import OperatingPointError

__all__ = ["ParetoTail"]


@dataclass(frozen=True)
class ParetoTail:
    """A generalised Pareto distribution of the similarities above a high one.

    Above a high threshold the excesses of nearly every distribution come close to this family
    (Pickands, 'Statistical inference using extreme order statistics', Annals of Statistics 3,
    1975), which is what allows to say something of rates too low for the sample to show.

    Attributes:
        start: Similarity from which it holds.
        rate: Share of non-mated comparisons at or above `start`.
        shape: 0 or more: 0 falls exponentially, more falls slower. A fitted shape under 0 would
            state that no similarity can ever lie above some end; it is taken as 0, the safe side.
        scale: Positive, in units of similarity.
    """

    start: float
    rate: float
    shape: float
    scale: float

    def __post_init__(self) -> None:
        if not (0 < self.rate < 1 and self.scale > 0 and 0 <= self.shape < 1):
            raise OperatingPointError(
                "the tail of an operating point must have a rate between 0 and 1, a positive scale "
                "and a shape from 0 to below 1"
            )

    def from_later(self, start: float, rate: float) -> "ParetoTail":
        """Return the same tail from a later start, where a rate was measured.

        What lies above a point of a generalised Pareto distribution is one again, of the same
        shape and with the scale ``scale + shape * (start - self.start)``.
        """
        scale = self.scale + self.shape * max(start - self.start, 0.0)
        return ParetoTail(start, rate, self.shape, scale)

    def rate_at(self, similarity: float) -> float:
        """Return the share of comparisons at or above a similarity from `start` on."""
        excess = (similarity - self.start) / self.scale
        if self.shape < 1e-9:
            return self.rate * math.exp(-excess)
        return float(self.rate * (1 + self.shape * excess) ** (-1 / self.shape))

    def similarity_at(self, rate: float) -> float:
        """Return the similarity that a share `rate`, at most that of `start`, reaches."""
        if self.shape < 1e-9:
            return self.start + self.scale * math.log(self.rate / rate)
        return float(self.start + self.scale / self.shape * ((self.rate / rate) ** self.shape - 1))
