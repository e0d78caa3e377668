"""1:1 error rates: by hand, and against scikit-learn."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from facerec.evaluation.metrics.comparisons import (
    HISTOGRAM_BINS,
    MatedScores,
    NonMatedScores,
    compare_all,
)
from facerec.evaluation.metrics.rates import (
    equal_error_rate,
    error_curve,
    least_claimable,
    tar_at_far,
)
from tests.unit.evaluation.test_comparisons import people_and_faces


def mated(*scores: float) -> MatedScores:
    n = len(scores)
    return MatedScores(
        np.array(scores, np.float32), np.zeros((n, 2), np.int32), np.zeros(n, np.int32)
    )


def non_mated(*scores: float) -> NonMatedScores:
    tail = np.sort(np.array(scores, np.float32))[::-1]
    pairs = np.zeros((len(tail), 2), np.int32)
    bins = np.minimum((tail + 1) * HISTOGRAM_BINS / 2, HISTOGRAM_BINS - 1).astype(int)
    histogram = np.bincount(bins, minlength=HISTOGRAM_BINS)
    return NonMatedScores(len(tail), histogram, tail, pairs, tail, pairs)


def test_tar_at_far_by_hand() -> None:
    others = [i / 100 for i in range(40)]  # .00 .. .39: FMR .1 allows four: .36 .. .39
    answer = tar_at_far(mated(0.1, 0.355, 0.37, 0.9), non_mated(*others), (0.1,))[0]
    assert 0.35 < answer.threshold <= 0.355  # just above the fifth highest
    assert answer.rate == 0.75
    assert not answer.bound


def test_a_failure_to_acquire_is_not_accepted() -> None:
    others = [i / 100 for i in range(40)]
    answer = tar_at_far(mated(-np.inf, 0.9), non_mated(*others), (0.1,))[0]
    assert answer.rate == 0.5


def test_a_rate_beyond_the_rule_of_three_is_a_bound() -> None:
    assert least_claimable(3000) == pytest.approx(1e-3)
    others = np.linspace(0, 0.5, 3000)
    shown, beyond = tar_at_far(mated(0.4, 0.6), non_mated(*others), (1e-3, 1e-4))
    assert not shown.bound and beyond.bound
    assert beyond.rate == shown.rate  # an upper bound: no lower rate can accept more


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        ((0.9, 0.8), (0.1, 0.2), 0.0),  # apart
        ((0.1, 0.2), (0.8, 0.9), 1.0),  # the wrong way round
        ((0.2, 0.6, 0.7, 0.8), (0.1, 0.3, 0.4, 0.65), 0.25),  # one of four each way
        ((0.5,), (0.5,), 0.5),  # tied: nothing to tell them apart
    ],
)
def test_equal_error_rate_by_hand(
    own: tuple[float, ...], others: tuple[float, ...], expected: float
) -> None:
    assert equal_error_rate(error_curve(mated(*own), non_mated(*others))) == expected


def labelled(
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.bool_], MatedScores, NonMatedScores]:
    vectors, labels = people_and_faces(seed, people=120, dimensions=16)
    result = compare_all(vectors, labels)
    scores = np.concatenate([result.mated.scores, result.non_mated.tail])
    truth = np.arange(len(scores)) < len(result.mated)
    return scores, truth, result.mated, result.non_mated


def test_the_error_curve_is_scikit_learns_roc() -> None:
    scores, truth, own, others = labelled(1)
    curve = error_curve(own, others)
    false, true, thresholds = roc_curve(truth, scores, drop_intermediate=False)
    at = np.searchsorted(curve.thresholds, thresholds[1:].astype(np.float64))
    np.testing.assert_allclose(curve.fmr[at], false[1:], atol=1e-12)
    np.testing.assert_allclose(1 - curve.fnmr[at], true[1:], atol=1e-12)


def test_tar_and_eer_are_scikit_learns() -> None:
    scores, truth, own, others = labelled(2)
    false, true, _ = roc_curve(truth, scores, drop_intermediate=False)
    for answer in tar_at_far(own, others, (0.3, 0.1, 1e-2, 1e-3)):
        if not answer.bound:
            assert answer.rate == pytest.approx(true[false <= answer.at + 1e-12].max())
    crossing = np.argmin(np.abs(false - (1 - true)))
    expected = (false[crossing] + 1 - true[crossing]) / 2
    assert equal_error_rate(error_curve(own, others)) == pytest.approx(expected, abs=1e-4)


def test_a_short_tail_changes_no_rate_by_more_than_a_bin() -> None:
    vectors, labels = people_and_faces(4, people=150, dimensions=16)
    whole, short = compare_all(vectors, labels), compare_all(vectors, labels, tail_size=60)
    exact = equal_error_rate(error_curve(whole.mated, whole.non_mated))
    binned = equal_error_rate(error_curve(short.mated, short.non_mated))
    assert binned == pytest.approx(exact, abs=2e-3)
