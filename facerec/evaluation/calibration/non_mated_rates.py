"""The non-mated side of an operating point: knots, their intervals, and the tail beyond."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.decision.pareto_tail import ParetoTail
from facerec.decision.rate_curve import RateCurve
from facerec.errors import EvaluationError
from facerec.evaluation.metrics.bootstrap import person_weights

__all__ = ["FEWEST_SCORES", "WeighedScores", "fit_pareto_tail", "measure_rates"]

KNOTS_A_DECADE = 8
FEWEST_SEEN = 30
"""Scores at or above the last knot: were they independent, its rate would be known to
``1.96 / sqrt(30)`` = 36 %."""
TAIL_SCORES = (50, 1000)
"""Fewest and most scores that the tail is fitted to. With fewer the fit says nothing; with more
the start lies where the distribution has not yet taken on its limiting form."""
FEWEST_SCORES = 2 * TAIL_SCORES[0]
"""Scores that anything is measured from: twice those of the smallest tail."""
TAIL_SHARE = 0.01
"""Largest share of all scores that may belong to the tail, where that leaves enough of them."""
INTERVAL_DRAWS = 200
EXACT_SCORES = 120_000
"""Highest scores that are weighed in every draw."""


@dataclass(frozen=True, eq=False)
class WeighedScores:
    """Non-mated scores and how much each weighs.

    Attributes:
        scores: float32 (n,), descending: the n highest.
        weights: float64 (n,): share of all weight that each score has; they sum to 1 or less.
        first: int32 (n,): one person of each, 0-based.
        second: int32 (n,): the other one.
        people: Number of people.
        sizes: float64 (people,): what a pair of people weighs is the product of theirs.
        strangers: Where people 0 to this (excluded) were compared with all the others and nobody
            else with anybody, that number; 0 where everybody was compared with everybody.
    """

    scores: NDArray[np.float32]
    weights: NDArray[np.float64]
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    people: int
    sizes: NDArray[np.float64]
    strangers: int = 0


def measure_rates(given: WeighedScores) -> RateCurve:
    """Measure knots down to where the tail begins, and fit the tail.

    Raises:
        EvaluationError: there are too few scores; the message says how many are needed.
    """
    count = len(given.scores)
    if count < FEWEST_SCORES:
        people = int(np.ceil((1 + np.sqrt(1 + 8 * FEWEST_SCORES)) / 2))
        raise EvaluationError(
            f"there are {count} comparisons of different people; at least {FEWEST_SCORES} are "
            f"needed, such as those of {people} people with a picture each"
        )
    tail_count = int(np.clip(count * TAIL_SHARE, *TAIL_SCORES))
    reached = np.cumsum(given.weights)
    last_rate = float(reached[FEWEST_SEEN - 1])
    top = float(min(reached[-1], 0.5))
    steps = max(int(np.ceil(np.log10(top / last_rate) * KNOTS_A_DECADE)), 1)
    wanted = np.geomspace(top, last_rate, steps + 1)
    rows = np.searchsorted(reached, wanted * (1 - 1e-12)).clip(FEWEST_SEEN - 1, count - 1)
    rows = np.unique(rows)[::-1]
    rows = rows[np.append(True, np.diff(given.scores[rows].astype(np.float64)) > 0)]
    if len(rows) < 2:
        raise EvaluationError("the comparisons of different people all score (nearly) the same")
    # A tie above a knot belongs to it: its rate is that of "at or above".
    last_of_tie = np.searchsorted(-given.scores, -given.scores[rows], side="right") - 1
    rates = reached[last_of_tie]
    lows, highs = _intervals(given, last_of_tie, rates)
    similarities = given.scores[rows].astype(np.float64)
    tail = fit_pareto_tail(
        given.scores[: tail_count - 1],
        given.weights[: tail_count - 1],
        float(given.scores[tail_count - 1]),
        float(reached[tail_count - 1]),
    ).from_later(float(similarities[-1]), float(rates[-1]))
    return RateCurve(_rounded(similarities), _rounded(rates), tail, _rounded(lows), _rounded(highs))


def fit_pareto_tail(
    scores: NDArray[np.float32], weights: NDArray[np.float64], start: float, rate: float
) -> ParetoTail:
    """Fit a generalised Pareto distribution to scores above `start`.

    By probability-weighted moments, which for a few hundred scores err less than maximum
    likelihood: Hosking and Wallis, 'Parameter and quantile estimation for the generalized Pareto
    distribution', Technometrics 29 (1987). A negative shape is taken as 0; see `ParetoTail`.

    Args:
        scores: float32 (n,), descending, all at or above `start`.
        weights: float64 (n,), positive.
        start: Where the tail begins.
        rate: Share of all comparisons at or above `start`.
    """
    excess = scores.astype(np.float64) - start
    share = weights / weights.sum()
    # Chance of a higher excess, at the middle of each score's own weight.
    higher = np.cumsum(share) - share / 2
    mean = float(share @ excess)
    second = float(share @ (excess * higher))
    if mean <= 0:
        raise EvaluationError("the highest comparisons of different people all score the same")
    shape = 2 - mean / (mean - 2 * second)
    if shape <= 0:
        return ParetoTail(start, rate, 0.0, mean)
    shape = min(shape, 0.9)
    return ParetoTail(start, rate, shape, mean * (1 - shape))


def _intervals(
    given: WeighedScores, rows: NDArray[np.intp], rates: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return 95 % intervals of the rates at rows of the scores, by drawing people."""
    stop = min(len(given.scores), EXACT_SCORES)
    exact = rows < stop
    weights, first, second = (array[:stop] for array in (given.weights, given.first, given.second))
    drawn = np.empty((INTERVAL_DRAWS, int(exact.sum())))
    for index, draw in enumerate(person_weights(given.people, INTERVAL_DRAWS)):
        total = _drawn_weight(draw, given)
        sums = np.cumsum(weights * draw[first] * draw[second])
        drawn[index] = sums[rows[exact]] / total
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0) / rates[exact]
    # Rates above those weighed are better known; they take the widest of the weighed intervals'
    # highest rate, which overstates theirs.
    lows, highs = np.full(len(rows), low.max(initial=0)), np.full(len(rows), 1.0)
    lows[exact], highs[exact] = low, high
    if (~exact).any() and exact.any():
        lows[~exact], highs[~exact] = low[0], high[0]
    return rates * lows, np.minimum(rates * highs, 1.0)


def _drawn_weight(draw: NDArray[np.float64], given: WeighedScores) -> float:
    """Return the weight of all pairs in a draw, 1 when everybody is drawn once; in closed form."""
    strangers, drawn, once = given.strangers, draw * given.sizes, given.sizes
    if strangers:
        compared = once[:strangers].sum() * once[strangers:].sum()
        return float(drawn[:strangers].sum() * drawn[strangers:].sum() / compared)
    compared = once.sum() ** 2 - (once**2).sum()
    return float((drawn.sum() ** 2 - (drawn**2).sum()) / compared)


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    """Return numbers with as many digits as mean something, so that files stay readable."""
    return tuple(float(f"{value:.7g}") for value in values)
