"""How much the looks at one track are worth together, and when that is enough. Pure.

A sequential test in Wald's sense ('Sequential Analysis', 1947): evidence is taken in until it
passes an upper bound (this person), a lower bound (nobody enrolled), or its time is over. It
differs from Wald's in two places, both because looks at one face are anything but independent:

- n looks count as ``n / (1 + (n - 1) r)`` independent ones, with r the correlation between the
  similarities of two looks at a face to somebody else (Kish's design effect, 'Survey Sampling',
  1965). The mean of the looks' log-likelihood ratios times that number is the evidence. As the map
  from similarity to log-likelihood ratio is affine, that mean is the log-likelihood ratio of the
  mean similarity.
- The upper bound is not Wald's ``log(people / rate)``, which holds for likelihood ratios that are
  exact in the far tail, but the evidence of the similarity that the operating point's measured tail
  gives for the rate asked for, at the gallery's present size and number of templates. Each
  further attempt on a track is allowed less of that rate.
"""

import math
from dataclasses import dataclass

__all__ = ["SequentialEvidence", "effective_looks", "share_of_attempt", "stranger_bound"]

LOOK_CORRELATION = 0.9
"""Between the similarities that two looks at one face have to somebody else. Measured: .98 in
tracks made of still photographs (344 people, 609 strangers of LFW), .95 at .1 s to .84 at 1 s in
webcam clips. A smaller number makes thresholds stricter (docs/cameras.md)."""
_SMALLEST_SHARE = 1 / 40
_MISSED = 0.01
"""Odds under which the best candidate is given up, when every second comer is enrolled."""


@dataclass(frozen=True)
class SequentialEvidence:
    """What a track's looks say of its best candidate; natural logarithms of likelihood ratios.

    Attributes:
        value: Evidence so far that the track shows the candidate.
        lower: Bound at or under which it shows nobody enrolled.
        upper: Evidence of looks whose mean similarity is at the operating point's threshold.
    """

    value: float
    lower: float
    upper: float

    @property
    def is_person(self) -> bool:
        """Whether the upper bound is passed."""
        return self.value >= self.upper

    @property
    def is_stranger(self) -> bool:
        """Whether the lower bound is passed."""
        return self.value <= self.lower


def effective_looks(looks: int, correlation: float = LOOK_CORRELATION) -> float:
    """Return how many independent looks so many correlated ones are worth, 1 or more.

    Args:
        looks: 1 or more.
        correlation: Between any two of them, 0..1.
    """
    return looks / (1 + (looks - 1) * correlation)


def share_of_attempt(attempt: int) -> float:
    """Return the share of the rate that is allowed a track's n-th attempt, 1 for the first.

    ``1 / n ** 2``, and never under 1 in 40, so that who is enrolled and badly lit may still be
    named when the light comes on. Whoever is undecided stays near the threshold, and at an equal
    rate would pass it sooner or later: people who stay for ten minutes would be named 2.2 to 2.6
    times as often as asked for at a rate of 1 %, and 5 to 6 times at .1 %. With these shares it is
    1.0 to 1.1 and 1.0 to 1.5 times (looks a second apart correlated by .95 to .84; simulated, see
    docs/cameras.md).
    """
    return max(1 / (attempt * attempt), _SMALLEST_SHARE)


def stranger_bound(people: int) -> float:
    """Return the log-likelihood ratio at which the best of so many candidates is given up.

    When every second comer is enrolled, each of N people is a comer with the chance ``1 / 2N``, so
    that the odds for the best candidate are its likelihood ratio over N: it is given up where they
    fall under 1 in 100.
    """
    return math.log(_MISSED * max(people, 1))
