"""Accuracy over folds of labelled pairs, as Labeled Faces in the Wild publishes it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError

__all__ = ["FoldAccuracy", "best_threshold", "fold_accuracy"]


@dataclass(frozen=True, eq=False)
class FoldAccuracy:
    """Share of pairs judged rightly, each fold at the threshold chosen on the other folds.

    Attributes:
        mean: Mean over folds.
        std: Standard deviation over folds (n - 1 in the divisor); 0 for a single fold.
        standard_error: ``std / sqrt(folds)``, the figure that LFW prints behind the plus-minus.
        folds: float64 (f,) accuracy of each fold.
        thresholds: float64 (f,) threshold used on each fold.
        correct: bool (n,) which pairs were judged rightly.
    """

    mean: float
    std: float
    standard_error: float
    folds: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    correct: NDArray[np.bool_]


def best_threshold(scores: NDArray[np.float64], mated: NDArray[np.bool_]) -> float:
    """Return the threshold with most pairs judged rightly; the middle of the widest best gap."""
    usable = np.isfinite(scores)
    order = np.argsort(scores[usable], kind="stable")
    values, labels = scores[usable][order], mated[usable][order]
    if not len(values):
        return 0.0
    # right[k]: pairs judged rightly when the k lowest are called non-mated.
    right = (
        np.concatenate([[0], np.cumsum(~labels)])
        + labels.sum()
        - np.concatenate([[0], np.cumsum(labels)])
    )
    edges = np.concatenate([[values[0] - 1.0], values, [values[-1] + 1.0]])
    gaps = np.diff(edges)
    gaps[[0, -1]] = 1e-9  # beyond all scores: only when nothing between them is as good
    right = np.where(gaps > 0, right, -1)
    best = np.flatnonzero(right == right.max())
    k = int(best[np.argmax(gaps[best])])
    return float((edges[k] + edges[k + 1]) / 2)


def fold_accuracy(
    scores: NDArray[np.float64], mated: NDArray[np.bool_], folds: NDArray[np.int32]
) -> FoldAccuracy:
    """Judge every fold at the threshold chosen on all other folds.

    Args:
        scores: float64 (n,) similarities; NaN where an image gave no template. Such a pair counts
            as judged wrongly, mated or not: a failure must never help.
        mated: bool (n,) whether both images show one person.
        folds: int32 (n,) fold of each pair, 0-based.

    Returns:
        The accuracy. A single fold is judged at its own best threshold, which flatters.
    """
    if not len(scores):
        raise ArrayError("accuracy needs at least one pair")
    count = int(folds.max()) + 1
    accuracy, thresholds = np.zeros(count), np.zeros(count)
    correct = np.zeros(len(scores), bool)
    for fold in range(count):
        inside = folds == fold
        chosen_on = ~inside if count > 1 else inside
        thresholds[fold] = best_threshold(scores[chosen_on], mated[chosen_on])
        known = np.isfinite(scores[inside])
        right = ((scores[inside] >= thresholds[fold]) == mated[inside]) & known
        correct[inside] = right
        accuracy[fold] = right.mean()
    std = float(accuracy.std(ddof=1)) if count > 1 else 0.0
    return FoldAccuracy(
        float(accuracy.mean()), std, std / float(np.sqrt(count)), accuracy, thresholds, correct
    )
