"""Accuracy over folds: by hand and against an exhaustive search."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facerec.errors import ArrayError
from facerec.evaluation.metrics.pair_accuracy import best_threshold, fold_accuracy


def test_each_fold_is_judged_at_the_others_threshold() -> None:
    # Fold 0 separates at .5, fold 1 at .7: judged at .5, its non-mated pair at .6 is wrong;
    # judged at .7, fold 0's mated pair at .6 is wrong.
    scores = np.array([0.4, 0.6, 0.6, 0.8])
    mated = np.array([False, True, False, True])
    result = fold_accuracy(scores, mated, np.array([0, 0, 1, 1], np.int32))
    np.testing.assert_allclose(result.thresholds, [0.7, 0.5])
    np.testing.assert_array_equal(result.folds, [0.5, 0.5])
    np.testing.assert_array_equal(result.correct, [True, False, False, True])
    assert result.mean == 0.5 and result.std == 0.0


def test_mean_deviation_and_standard_error() -> None:
    scores = np.array([0.1, 0.9, 0.9, 0.1, 0.1, 0.9])
    mated = np.array([False, True, False, True, False, True])
    result = fold_accuracy(scores, mated, np.array([0, 0, 1, 1, 2, 2], np.int32))
    assert result.mean == pytest.approx(2 / 3)
    assert result.std == pytest.approx(np.std([1, 0, 1], ddof=1))
    assert result.standard_error == pytest.approx(result.std / np.sqrt(3))


def test_a_failed_pair_is_wrong_whatever_it_is() -> None:
    scores = np.array([0.1, 0.9, np.nan, np.nan])
    mated = np.array([False, True, True, False])
    result = fold_accuracy(scores, mated, np.zeros(4, np.int32))
    assert result.mean == 0.5


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=30))
def test_no_threshold_is_better_than_the_best(pairs: list[tuple[int, bool]]) -> None:
    scores = np.array([score / 20 for score, _ in pairs])
    mated = np.array([label for _, label in pairs])
    found = ((scores >= best_threshold(scores, mated)) == mated).sum()
    every = max(
        ((scores >= t) == mated).sum() for t in np.concatenate([scores, scores + 0.01, [-1]])
    )
    assert found == every


def test_no_pairs_is_an_error() -> None:
    with pytest.raises(ArrayError, match="at least one pair"):
        fold_accuracy(np.zeros(0), np.zeros(0, bool), np.zeros(0, np.int32))
