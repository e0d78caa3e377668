"""Confidence intervals by drawing people, not comparisons.

Comparisons that share a person are not independent, so resampling them would promise too much.
Here people are drawn with replacement, and a comparison weighs as often as its people were drawn:
``w_a`` within person a, ``w_a w_b`` between a and b (Bolle, Ratha and Pankanti, 'Error analysis of
pattern recognition systems: the subsets bootstrap', CVIU 93, 2004). Weights replace copying: the
scores are sorted once, and a draw is one pass of sums over them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.evaluation.metrics.comparisons import Comparisons
from facerec.evaluation.metrics.rates import least_claimable

__all__ = [
    "DRAWS", "Interval", "interval_of", "person_weights", "uncertain", "verification_draws",
    "verification_intervals",
]  # fmt: skip

DRAWS = 500
"""Draws of people: the 2.5 % quantile then rests on a dozen of them."""
EXACT_PAIRS = 300_000
"""Most non-mated scores that are weighed exactly in each draw; rates that need more use a sample"""


@dataclass(frozen=True)
class Interval:
    """A two-sided 95 % confidence interval.

    Attributes:
        low: 2.5 % quantile.
        high: 97.5 % quantile.
    """

    low: float
    high: float

    @property
    def ends(self) -> list[float]:
        """Both ends, as JSON has them."""
        return [self.low, self.high]

    def holds(self, value: float) -> bool:
        """Say whether a value lies within, borders included."""
        return self.low <= value <= self.high


def interval_of(draws: NDArray[np.float64]) -> Interval:
    """Return the 2.5 % and 97.5 % quantiles of bootstrap draws."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return Interval(float(low), float(high))


def uncertain(interval: Interval, rate: float, people: int) -> Interval:
    """Return an interval that never promises certainty.

    Where every attempt succeeded, or none, all draws give the same; there the exact bound of n
    people who all did is taken (Clopper and Pearson, 'The use of confidence or fiducial limits',
    Biometrika 26, 1934): ``.025 ** (1 / n)``.

    Args:
        interval: Of bootstrap draws.
        rate: The share of attempts, 0..1.
        people: Number of people, 1 or more, whose attempts they are.
    """
    bound = float(0.025 ** (1 / max(people, 1)))
    if rate == 1:
        return Interval(min(interval.low, bound), 1.0)
    if rate == 0:
        return Interval(0.0, max(interval.high, 1 - bound))
    return interval


def person_weights(people: int, draws: int = DRAWS, seed: int = 0) -> Iterator[NDArray[np.float64]]:
    """Yield for each draw how often each person was drawn: float64 (people,), sum = people."""
    random = np.random.default_rng(seed)
    for _ in range(draws):
        drawn = random.integers(0, people, people)
        yield np.bincount(drawn, minlength=people).astype(np.float64)


def verification_intervals(
    comparisons: Comparisons, rates: tuple[float, ...], *, draws: int = DRAWS, seed: int = 0
) -> dict[str, Interval]:
    """Return intervals of the true accept rate at each false match rate, and of the EER.

    Args:
        comparisons: All scores.
        rates: False match rates; those that cannot be shown (rule of three) are left out.
        draws: Number of draws.
        seed: Of the draws.

    Returns:
        Interval by key: ``"tar_at_far:1e-3"`` and so on, and ``"eer"``.
    """
    drawn = verification_draws(comparisons, rates, draws=draws, seed=seed)
    known = {name: values[np.isfinite(values)] for name, values in drawn.items()}
    people = len(np.unique(comparisons.mated.people))
    # A rate that is 0 or 1 in the sample is so in (nearly) all draws.
    return {
        name: uncertain(interval_of(values), float(np.median(values)), people)
        for name, values in known.items()
        if len(values)
    }


def verification_draws(
    comparisons: Comparisons, rates: tuple[float, ...], *, draws: int = DRAWS, seed: int = 0
) -> dict[str, NDArray[np.float64]]:
    """Return what `verification_intervals` takes the quantiles of.

    The same seed draws the same people, so two systems can be compared draw by draw.

    Returns:
        float64 (draws,) by the keys of `verification_intervals`; NaN where a draw held no mated
        comparison.
    """
    shown = [rate for rate in rates if rate >= least_claimable(comparisons.non_mated.total)]
    measures = _Measures(comparisons, shown)
    nothing = [np.nan] * (len(shown) + 1)
    table = np.array(
        [
            measures.draw(weights) or nothing
            for weights in person_weights(comparisons.people_count, draws, seed)
        ]
    )
    names = [*(f"tar_at_far:{rate_key(rate)}" for rate in shown), "eer"]
    return {name: table[:, i] for i, name in enumerate(names)}


def rate_key(rate: float) -> str:
    """Write a rate as a key: ``1e-3``."""
    exponent = round(np.log10(rate))
    return f"1e{exponent}" if np.isclose(rate, 10.0**exponent) else f"{rate:g}"


class _Measures:
    """One draw's rates, from scores that were sorted once."""

    def __init__(self, comparisons: Comparisons, rates: list[float]) -> None:
        mated, non_mated = comparisons.mated, comparisons.non_mated
        order = np.argsort(-mated.scores, kind="stable")
        self._mated = mated.scores[order].astype(np.float64)
        self._mated_people = mated.people[order]
        self._sizes = np.bincount(
            comparisons.people[comparisons.acquired], minlength=comparisons.people_count
        ).astype(np.float64)
        # A draw's threshold wanders about the point estimate's; three times its rank is ample.
        reach = [min(int(3 * rate * non_mated.total) + 2000, len(non_mated.tail)) for rate in rates]
        small = [count for count in reach if count <= EXACT_PAIRS]
        self._tail = _Weighed(
            non_mated.tail[: max(small, default=0)],
            comparisons.people[non_mated.tail_pairs[: max(small, default=0)]],
        )
        self._sample = _Weighed(non_mated.sample, comparisons.people[non_mated.sample_pairs])
        self._from_tail = [count <= EXACT_PAIRS for count in reach]
        self._rates = rates
        self._sample_at_mated = self._sample.count_from(self._mated)

    def draw(self, weights: NDArray[np.float64]) -> list[float] | None:
        """Return the rates of one draw; None when it holds no mated comparison."""
        mated = np.concatenate([[0.0], np.cumsum(weights[self._mated_people])])
        total = ((self._sizes @ weights) ** 2 - (self._sizes**2) @ (weights**2)) / 2
        if mated[-1] == 0 or total <= 0:
            return None
        tail, sample = self._tail.weigh(weights), self._sample.weigh(weights)
        answers = []
        for rate, from_tail in zip(self._rates, self._from_tail, strict=True):
            source, sums = (self._tail, tail) if from_tail else (self._sample, sample)
            allowed = rate * float(total if from_tail else sample[-1])
            threshold = source.threshold(sums, allowed)
            accepted = int(np.searchsorted(-self._mated, -threshold, side="right"))
            answers.append(float(mated[accepted] / mated[-1]))
        return [*answers, self._equal_error(mated, sample)]

    def _equal_error(self, mated: NDArray[np.float64], sample: NDArray[np.float64]) -> float:
        fnmr = 1.0 - mated[1:] / mated[-1]
        fmr = sample[self._sample_at_mated] / max(sample[-1], 1.0)
        index = int(np.argmin(np.abs(fnmr - fmr)))
        return float((fnmr[index] + fmr[index]) / 2)


class _Weighed:
    """Non-mated scores, descending, whose weights change from draw to draw."""

    def __init__(self, scores: NDArray[np.float32], people: NDArray[np.int32]) -> None:
        self._scores = scores.astype(np.float64)
        self._first = np.ascontiguousarray(people[:, 0])
        self._second = np.ascontiguousarray(people[:, 1])

    def count_from(self, thresholds: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return how many scores are at or above each threshold."""
        return np.searchsorted(-self._scores, -thresholds, side="right")

    def weigh(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the running sum of weights, from 0, one longer than the scores."""
        return np.concatenate([[0.0], np.cumsum(weights[self._first] * weights[self._second])])

    def threshold(self, sums: NDArray[np.float64], allowed: float) -> float:
        """Return the lowest threshold above which no more than `allowed` weight lies."""
        last = int(np.searchsorted(sums, allowed * (1 + 1e-12), side="right")) - 1
        if last >= len(self._scores):
            return float(self._scores[-1]) if len(self._scores) else -1.0
        return float(np.nextafter(np.float32(self._scores[last]), np.float32(2)))


def bootstrap(
    statistic: Callable[[NDArray[np.float64]], float | None],
    people: int,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval | None:
    """Return the interval of any statistic of person weights; None when no draw has a value."""
    values = [statistic(weights) for weights in person_weights(people, draws, seed)]
    known = np.array([value for value in values if value is not None], np.float64)
    return interval_of(known) if len(known) else None
