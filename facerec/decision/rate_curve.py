"""A measured rate of false matches over thresholds, with its uncertainty and its far tail."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from facerec.decision.pareto_tail import ParetoTail
from facerec.errors import OperatingPointError

__all__ = ["RateCurve"]

NOTHING = 1e-300
"""Stands for a lower end of 0, which has no logarithm."""


@dataclass(frozen=True)
class RateCurve:
    """The share of non-mated trials at or above a similarity.

    Between two knots the logarithm of the rate is taken as linear in the similarity. Beyond the
    last one, where too few trials were seen to measure, the rate is *extrapolated* by `tail`.

    Attributes:
        similarities: Knots, strictly rising cosine similarities, -1..1.
        rates: Share of trials at or above each knot, strictly falling, 0..1.
        tail: What holds from the last knot on; None to go on falling exponentially as over the
            last measured decade.
        lows: Lower ends of the 95 % intervals of `rates`, over people; empty when unknown.
        highs: Upper ends of them.
    """

    similarities: tuple[float, ...]
    rates: tuple[float, ...]
    tail: ParetoTail | None = None
    lows: tuple[float, ...] = ()
    highs: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        s, f = np.array(self.similarities, float), np.array(self.rates, float)
        if len(s) < 2 or s.shape != f.shape:
            raise OperatingPointError(
                f"an operating point must have at least two knots, each a similarity and a rate; "
                f"received {len(s)} and {len(f)}"
            )
        if not (np.all(np.diff(s) > 0) and np.all(np.diff(f) < 0) and 0 < f[-1] and f[0] <= 1):
            raise OperatingPointError(
                "the knots of an operating point must have rising similarities and falling rates "
                "between 0 and 1"
            )
        if any(len(ends) not in (0, len(s)) for ends in (self.lows, self.highs)):
            raise OperatingPointError("the knots of an operating point must each have an interval")

    def similarity_at(self, rate: float) -> float:
        """Return the similarity that a share `rate` reaches; the lowest knot for one above all."""
        log_rates = np.log(self.rates)
        wanted = math.log(rate)
        if self.tail is not None and rate < self.tail.rate:
            return self.tail.similarity_at(rate)
        if wanted < log_rates[-1]:
            return float(self.similarities[-1] + (wanted - log_rates[-1]) / self._last_slope)
        return float(np.interp(-wanted, -log_rates, self.similarities))

    def rate_at(self, similarity: float) -> float:
        """Return the rate of a threshold; falls as that rises."""
        log_rates = np.log(self.rates)
        beyond = similarity - self.similarities[-1]
        if self.tail is not None and similarity > self.tail.start:
            return self.tail.rate_at(similarity)
        if beyond > 0:
            return float(math.exp(log_rates[-1] + beyond * self._last_slope))
        return float(math.exp(np.interp(similarity, self.similarities, log_rates)))

    def interval_at(self, similarity: float) -> tuple[float, float]:
        """Return the 95 % interval, over people, of the rate of a threshold.

        Beyond the last knot its logarithm widens as the square root of how much rarer the rate is
        than that knot's, as that of a count does. (0, 1) when none was measured.
        """
        if not self.lows or not self.highs:
            return 0.0, 1.0
        rate = self.rate_at(similarity)
        rarer = math.sqrt(max(self.rates[-1] / rate, 1.0))
        low, high = (
            rarer * np.interp(similarity, self.similarities, np.log(ends) - np.log(self.rates))
            for ends in (np.maximum(self.lows, NOTHING), self.highs)
        )
        lowest = rate * math.exp(low)
        return lowest if lowest > rate * math.sqrt(NOTHING) else 0.0, min(
            rate * math.exp(min(high, 700.0)), 1.0
        )

    @cached_property
    def _last_slope(self) -> float:
        """Change of the logarithm of the rate with similarity over the last decade; negative."""
        decade = [i for i, rate in enumerate(self.rates) if rate >= 10 * self.rates[-1]]
        start = decade[-1] if decade else 0
        fall = math.log(self.rates[-1]) - math.log(self.rates[start])
        return fall / (self.similarities[-1] - self.similarities[start])
