"""What a test on other people will show of a rate that an operating point states.

The 95 % interval of an operating point is of the *rate*: where it lies among all people like those
that were calibrated on. A test measures it on a sample of people once more, and with few of them
it measures something else each time. So what is measured is held against a prediction interval,
which has three parts:

- the rate itself, spread as its own interval says (its logarithm taken as normal on either side);
- the people of the test, some of whom resemble many others;
- the count of false matches, which is that of independent trials (Poisson).

Hahn and Meeker, 'Statistical intervals', Wiley 1991, tell the two kinds of interval apart. How
often such intervals hold what is measured is in docs/accuracy.md.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, poisson

from facerec.decision.operating_point import OperatingPoint
from facerec.evaluation.metrics.bootstrap import Interval

__all__ = ["SearchTest", "foretold_fmr", "foretold_fpir"]

LOW, HIGH = 0.025, 0.975
DEVIATIONS: NDArray[np.float64] = norm.ppf((np.arange(400) + 0.5) / 400)
"""Equally likely places of a standard normal distribution; integrals over it are means of these."""
HALF_WIDTH = float(norm.ppf(HIGH))
WIDEST = 10.0
"""Largest deviation of a logarithm: from there on a rate says nothing whatever the number."""


def foretold_fmr(point: OperatingPoint, similarity: float, people: int) -> Interval:
    """Return the false match rates of a threshold that 95 % of tests on other people show.

    The test compares everybody with everybody. Its own error is taken as that of the calibration,
    whose variance falls with the number of people.

    Args:
        point: States the rate and its interval.
        similarity: The threshold.
        people: Number of people of the test, two or more.
    """
    rate = point.fmr_at(similarity)
    below, above = _deviations(rate, point.fmr_interval_at(similarity))
    variance = max(below * above, 1e-12)
    events = people / _calibrated_on(point) / variance
    return _counted(_plausible(rate, below, above), events / rate)


@dataclass(frozen=True)
class SearchTest:
    """The size of a test of strangers against galleries.

    Attributes:
        strangers: Number of strangers, one visit each.
        searched: Number of people in a gallery.
        people: Number of people whom the galleries are drawn from, where the rate is the mean over
            all of them; for one gallery the same as `searched`.
    """

    strangers: int
    searched: int
    people: int


def foretold_fpir(
    point: OperatingPoint, similarity: float, templates: int, test: SearchTest
) -> Interval:
    """Return the FPIRs of a threshold that 95 % of tests with other people show.

    Args:
        point: States the rate and its interval.
        similarity: The threshold.
        templates: Templates in a gallery.
        test: Its size.
    """
    rate = point.fpir_at(similarity, templates)
    below, above = _deviations(rate, point.fpir_interval_at(similarity, templates))
    # Everybody calibrated on took both parts, so their own variance is four times that of one part
    # (Hoeffding, 'A class of statistics with asymptotically normal distribution', 1948). Before
    # one gallery a stranger is named or not, which is what counting says; before many galleries
    # the same stranger comes again.
    each = _calibrated_on(point) / 4
    again = 1 - test.searched / test.people
    wider = math.sqrt(1 + each / test.people + again * each / test.strangers)
    trials = test.strangers * test.people / test.searched
    return _counted(_plausible(rate, below * wider, above * wider), trials)


def _calibrated_on(point: OperatingPoint) -> float:
    """Return how many people, all compared with all, are worth those that were calibrated on."""
    made = point.provenance
    if made.kind != "strangers":
        return made.people
    strangers = made.pairs_of_people / made.people
    return 4 / (1 / strangers + 1 / made.people)


def _deviations(rate: float, interval: tuple[float, float]) -> tuple[float, float]:
    """Return the deviations of the rate's logarithm, below and above it."""
    low, high = interval
    below = WIDEST if low <= 0 else math.log(rate / low) / HALF_WIDTH
    above = math.log(high / rate) / HALF_WIDTH
    return min(max(below, 0.0), WIDEST), min(max(above, 0.0), WIDEST)


def _plausible(rate: float, below: float, above: float) -> NDArray[np.float64]:
    """Return equally plausible rates: float64, ascending, at most 1."""
    deviations = np.where(DEVIATIONS < 0, below, above)
    return np.asarray(np.minimum(rate * np.exp(deviations * DEVIATIONS), 1.0), np.float64)


def _counted(rates: NDArray[np.float64], trials: float) -> Interval:
    """Return which shares of so many trials 95 % of tests show when the rates are as plausible."""
    return Interval(
        *(min(_count_reached(rates * trials, share) / trials, 1.0) for share in (LOW, HIGH))
    )


def _count_reached(means: NDArray[np.float64], share: float) -> int:
    """Return the lowest count that Poisson counts of such means keep to in a share of cases."""
    low, high = -1, max(int(poisson.ppf(0.9999, means.max())), 1)
    while high - low > 1:
        middle = (low + high) // 2
        if float(poisson.cdf(middle, means).mean()) >= share:
            high = middle
        else:
            low = middle
    return high
