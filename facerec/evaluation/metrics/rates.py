"""Error rates of 1:1 comparison in the words of ISO/IEC 19795-1."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError
from facerec.evaluation.metrics.comparisons import HISTOGRAM_BINS, MatedScores, NonMatedScores

__all__ = [
    "FALSE_MATCH_RATES",
    "RULE_OF_THREE",
    "ErrorCurve",
    "RateAtRate",
    "equal_error_rate",
    "error_curve",
    "least_claimable",
    "tar_at_far",
]

FALSE_MATCH_RATES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""False match rates at which true accept rates are stated."""
RULE_OF_THREE = 3.0
"""No event in n trials gives the 95 % upper bound 3/n (-ln .05 = 2.996): Jovanovic and Levy, 'A
look at the rule of three', The American Statistician 51 (1997)."""


@dataclass(frozen=True)
class RateAtRate:
    """The share of one kind of attempt accepted where another kind's rate is held.

    Attributes:
        at: The rate that is held: a false match rate, or a false-positive identification rate.
        rate: The other rate at the threshold; an upper bound of it when `bound`.
        threshold: Similarity from which is accepted.
        bound: True where `at` is lower than the number of attempts can show (rule of three), so
            that only a bound can be given.
    """

    at: float
    rate: float
    threshold: float
    bound: bool


@dataclass(frozen=True, eq=False)
class ErrorCurve:
    """False match and false non-match rates over thresholds, ascending.

    Attributes:
        thresholds: float64 (n,) similarities.
        fmr: float64 (n,) share of non-mated scores at or above each.
        fnmr: float64 (n,) share of mated scores under each.
    """

    thresholds: NDArray[np.float64]
    fmr: NDArray[np.float64]
    fnmr: NDArray[np.float64]


def least_claimable(trials: int) -> float:
    """Return the lowest error rate that `trials` independent trials can show: 3/n."""
    return RULE_OF_THREE / trials if trials else 1.0


def tar_at_far(
    mated: MatedScores,
    non_mated: NonMatedScores,
    rates: tuple[float, ...] = FALSE_MATCH_RATES,
) -> tuple[RateAtRate, ...]:
    """Return true accept rates at false match rates, failures to acquire counted as not accepted.

    A rate that the number of non-mated comparisons cannot show is answered by a bound: the true
    accept rate at the lowest rate that can be shown, which no lower rate can exceed.
    """
    answers = []
    for rate in rates:
        claimable = least_claimable(non_mated.total)
        shown = max(rate, claimable)
        threshold = non_mated.threshold_at(shown)
        tar = 1.0 - mated.fnmr_at(threshold)
        answers.append(RateAtRate(rate, tar, threshold, rate < claimable))
    return tuple(answers)


def error_curve(mated: MatedScores, non_mated: NonMatedScores) -> ErrorCurve:
    """Return both error rates at every threshold where one of them can change.

    Exact for mated scores and the tail of the non-mated; bins of 3e-5 below the tail.
    """
    if not len(mated) or not non_mated.total:
        raise ArrayError("an error curve needs mated and non-mated comparisons")
    tail = np.unique(non_mated.tail).astype(np.float64)
    whole = len(non_mated.tail) == non_mated.total
    edges = -1.0 + 2.0 * np.arange(HISTOGRAM_BINS + 1) / HISTOGRAM_BINS
    below = np.zeros(0) if whole else edges[edges <= tail[0]]
    finite = mated.scores[np.isfinite(mated.scores)].astype(np.float64)
    thresholds = np.unique(np.concatenate([finite, tail, below, [2.0]]))
    ascending = np.sort(non_mated.tail).astype(np.float64)
    counts = len(ascending) - np.searchsorted(ascending, thresholds, side="left")
    if not whole:
        above = np.concatenate([np.cumsum(non_mated.histogram[::-1])[::-1], [0]])
        under = thresholds <= tail[0]
        bins = ((thresholds[under] + 1.0) * (HISTOGRAM_BINS / 2)).astype(np.intp)
        counts[under] = above[np.clip(bins, 0, HISTOGRAM_BINS)]
    scores = np.sort(mated.scores).astype(np.float64)
    fnmr = np.searchsorted(scores, thresholds, side="left") / len(scores)
    return ErrorCurve(thresholds, counts / non_mated.total, fnmr)


def equal_error_rate(curve: ErrorCurve) -> float:
    """Return the rate where FMR and FNMR meet, the mean of both where they step past each other."""
    crossed = int(np.argmax(curve.fnmr >= curve.fmr))
    here = max(curve.fnmr[crossed], curve.fmr[crossed])
    before = max(crossed - 1, 0)
    there = max(curve.fnmr[before], curve.fmr[before])
    index = crossed if here <= there else before
    return float((curve.fnmr[index] + curve.fmr[index]) / 2)
