"""1:1 protocols: labelled pairs with folds, and every picture with every other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.errors import EvaluationError
from facerec.evaluation.metrics.bootstrap import (
    Interval,
    bootstrap,
    uncertain,
    verification_intervals,
)
from facerec.evaluation.metrics.comparisons import Comparisons, compare_all
from facerec.evaluation.metrics.pair_accuracy import FoldAccuracy, fold_accuracy
from facerec.evaluation.metrics.rates import (
    FALSE_MATCH_RATES,
    ErrorCurve,
    RateAtRate,
    equal_error_rate,
    error_curve,
    tar_at_far,
)
from facerec.evaluation.pictures.face_table import FaceTable
from facerec.evaluation.pictures.folder import PeoplePictures
from facerec.evaluation.pictures.pairs_file import LabelledPairs

__all__ = [
    "PairsResult", "VerificationResult", "pairs_difference", "verify_all", "verify_pairs",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class PairsResult:
    """What labelled pairs gave.

    Attributes:
        accuracy: Over folds.
        interval: Of the accuracy, by drawing people at fixed thresholds; None without any.
        scores: float64 (n,) similarity of each pair; NaN where a picture gave no template.
        failed: Number of such pairs.
    """

    accuracy: FoldAccuracy
    interval: Interval | None
    scores: NDArray[np.float64]
    failed: int


@dataclass(frozen=True, eq=False)
class VerificationResult:
    """What comparing every picture with every other gave.

    Attributes:
        comparisons: All scores.
        curve: FMR and FNMR over thresholds.
        tar_at_far: True accept rates; failures to acquire are not accepted.
        eer: Equal error rate.
        intervals: By ``"tar_at_far:RATE"`` and ``"eer"``, 95 %, over people.
    """

    comparisons: Comparisons
    curve: ErrorCurve
    tar_at_far: tuple[RateAtRate, ...]
    eer: float
    intervals: dict[str, Interval]

    def threshold_at(self, fmr: float) -> float:
        """Return the threshold of one of the stated false match rates."""
        return next(answer.threshold for answer in self.tar_at_far if answer.at == fmr)


def verify_pairs(table: FaceTable, pairs: LabelledPairs) -> PairsResult:
    """Judge labelled pairs as Labeled Faces in the Wild publishes it.

    A pair with a picture that is missing or gave no template counts as judged wrongly.
    """
    known = ((pairs.pairs >= 0) & table.acquired[pairs.pairs]).all(axis=1)
    scores = np.full(len(pairs), np.nan)
    a, b = (table.embeddings[pairs.pairs[known, side]] for side in (0, 1))
    scores[known] = np.einsum("nd,nd->n", a, b)
    accuracy = fold_accuracy(scores, pairs.mated, pairs.folds)
    interval = _interval_over_people(accuracy.correct.astype(np.float64), pairs)
    if interval is not None:
        people = len({name for pair in pairs.people for name in pair})
        interval = uncertain(interval, float(accuracy.correct.mean()), people)
    return PairsResult(accuracy, interval, scores, int((~known).sum()))


def pairs_difference(a: PairsResult, b: PairsResult, pairs: LabelledPairs) -> Interval | None:
    """Return the interval of how much higher B's accuracy is than A's on the same pairs."""
    gain = b.accuracy.correct.astype(np.float64) - a.accuracy.correct
    return _interval_over_people(gain, pairs)


def _interval_over_people(values: NDArray[np.float64], pairs: LabelledPairs) -> Interval | None:
    """Return the interval of the mean of a value a pair, by drawing people."""
    names = {name: i for i, name in enumerate(sorted({n for pair in pairs.people for n in pair}))}
    people = np.array([[names[first], names[second]] for first, second in pairs.people])

    def weighted(weights: NDArray[np.float64]) -> float | None:
        weight = np.where(
            pairs.mated, weights[people[:, 0]], weights[people[:, 0]] * weights[people[:, 1]]
        )
        return float(weight @ values / weight.sum()) if weight.sum() else None

    return bootstrap(weighted, len(names))


def verify_all(
    table: FaceTable, pictures: PeoplePictures, *, draws: int | None = None
) -> VerificationResult:
    """Compare every picture with every other.

    Args:
        table: A row a picture.
        pictures: Whose they are.
        draws: Draws of people for the intervals; None for the usual number.

    Raises:
        EvaluationError: there are no mated or no non-mated comparisons to be made.
    """
    comparisons = compare_all(table.embeddings, pictures.people, table.acquired)
    if not comparisons.non_mated.total:
        raise EvaluationError(
            "nobody can be compared with anybody else: pictures of at least two people must show "
            f"a face; {len(pictures.names)} person(s), {int(table.acquired.sum())} of "
            f"{len(pictures)} pictures with a face"
        )
    if not len(comparisons.mated):
        raise EvaluationError(
            "nobody can be compared with themselves: at least one person must have two pictures"
        )
    curve = error_curve(comparisons.mated, comparisons.non_mated)
    rates = FALSE_MATCH_RATES
    intervals = (
        verification_intervals(comparisons, rates)
        if draws is None
        else verification_intervals(comparisons, rates, draws=draws)
    )
    tar = tar_at_far(comparisons.mated, comparisons.non_mated, rates)
    return VerificationResult(comparisons, curve, tar, equal_error_rate(curve), intervals)
