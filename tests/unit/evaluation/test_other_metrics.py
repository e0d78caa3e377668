"""Reliability, discard curves, groups and the paired test: by hand and against scikit-learn."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve

from facerec.errors import ArrayError
from facerec.evaluation.metrics.bootstrap import Interval, person_weights
from facerec.evaluation.metrics.comparisons import MatedScores, compare_all
from facerec.evaluation.metrics.discarding import discard_curve
from facerec.evaluation.metrics.groups import (
    GroupRates,
    disparity,
    group_rates,
    search_group_rates,
)
from facerec.evaluation.metrics.open_set import SearchScores
from facerec.evaluation.metrics.paired import paired_difference
from facerec.evaluation.metrics.reliability import reliability
from tests.unit.evaluation.test_comparisons import people_and_faces


def test_calibration_error_by_hand() -> None:
    # Probability .9 twice, one a mate; .1 twice, none a mate. With mates weighing 1/2 in all, the
    # high bin holds a mate of .5 and a non-mate of 1/6.
    ratios = np.log(np.array([9.0, 9.0, 1 / 9, 1 / 9]))
    result = reliability(ratios, np.array([True, False, False, False]), bins=10)
    np.testing.assert_allclose(result.stated, [0.1, 0.9])
    np.testing.assert_allclose(result.observed, [0.0, 0.75])
    expected = (1 / 3) * 0.1 + (2 / 3) * abs(0.9 - 0.75)
    assert result.expected_calibration_error == pytest.approx(expected)


def test_reliability_is_scikit_learns_when_classes_are_even() -> None:
    random = np.random.default_rng(1)
    ratios = random.normal(size=4000) * 2
    mated = random.random(4000) < 1 / (1 + np.exp(-ratios))
    mated[: int(mated.sum()) - 2000 if mated.sum() > 2000 else 0] &= True
    keep = np.concatenate([np.flatnonzero(mated)[:1900], np.flatnonzero(~mated)[:1900]])
    result = reliability(ratios[keep], mated[keep], bins=10)
    observed, stated = calibration_curve(mated[keep], 1 / (1 + np.exp(-ratios[keep])), n_bins=10)
    np.testing.assert_allclose(result.observed, observed)
    np.testing.assert_allclose(result.stated, stated)
    assert result.expected_calibration_error < 0.03
    overstated = reliability(ratios[keep] * 3, mated[keep], bins=10)
    assert overstated.expected_calibration_error > 0.08


def test_reliability_of_weighted_scores_equals_repeating_them() -> None:
    random = np.random.default_rng(2)
    ratios, mated = random.normal(size=50), random.random(50) < 0.5
    times = random.integers(1, 4, 50)
    one = reliability(ratios, mated, weights=times.astype(float))
    two = reliability(np.repeat(ratios, times), np.repeat(mated, times))
    assert one.expected_calibration_error == pytest.approx(two.expected_calibration_error)
    with pytest.raises(ArrayError, match="mated and non-mated"):
        reliability(ratios, np.ones(50, bool))


def mated_pairs(*entries: tuple[int, int, float]) -> MatedScores:
    pairs = np.array([entry[:2] for entry in entries], np.int32)
    scores = np.array([entry[2] for entry in entries], np.float32)
    return MatedScores(scores, pairs, np.zeros(len(entries), np.int32))


def test_discarding_by_hand() -> None:
    mated = mated_pairs((0, 1, 0.2), (1, 2, 0.9), (2, 3, 0.3), (0, 3, -np.inf))
    curve = discard_curve(mated, np.array([0.9, 0.1, 0.5, 0.7]), 0.5, (0.0, 0.25, 0.5))
    assert curve.false_non_matches == 2  # the failure to acquire has no quality
    np.testing.assert_allclose(curve.left, [1.0, 0.5, 0.0])  # image 1 goes, then image 2
    np.testing.assert_allclose(curve.fnmr, [2 / 3, 1.0, 0.0])
    assert curve.left_at(0.125) == 0.75


def test_groups_by_hand() -> None:
    # People 0 and 1 are group a and look alike; 2 and 3 are group b and do not.
    vectors = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    people = np.array([0, 0, 1, 2, 3], np.int32)
    a, b = group_rates(compare_all(vectors, people), ("a", "a", "b", "b"), 0.5)
    assert (a.group, a.people, a.images, a.mated, a.non_mated) == ("a", 2, 3, 1, 2)
    assert (a.fmr, a.fnmr, b.fmr, b.fnmr) == (1.0, 0.0, 0.0, None)
    assert b.fnmr_interval is None
    # One pair of people without a false match: up to 1 - .025.
    assert b.fmr_interval == Interval(0.0, 0.975)


def test_intervals_of_a_group_are_those_of_its_people() -> None:
    """A group that is everybody has the intervals that everybody has."""
    vectors, people = people_and_faces(4, people=40, dimensions=6)
    comparisons = compare_all(vectors, people)
    threshold = comparisons.non_mated.threshold_at(0.1)
    (everybody,) = group_rates(comparisons, ("x",) * 40, threshold)
    assert everybody.fmr == pytest.approx(comparisons.non_mated.fmr_at(threshold))
    drawn = []
    for weights in person_weights(40):  # brute force, pair by pair
        w = weights[people]
        both = np.triu(w[:, None] * w[None, :], 1) * (people[:, None] != people[None, :])
        drawn.append((both * (vectors @ vectors.T >= threshold)).sum() / both.sum())
    assert everybody.fmr_interval is not None and everybody.fnmr_interval is not None
    found = everybody.fmr_interval
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    assert everybody.fnmr_interval.holds(comparisons.mated.fnmr_at(threshold))


def test_searches_by_group_by_hand() -> None:
    scores = SearchScores(
        own=np.array([0.9, 0.2, 0.9, 0.8], np.float32),
        rank=np.array([1, 1, 2, 1], np.int32),  # a miss by score, a miss by rank
        own_people=np.array([0, 0, 1, 2], np.int32),
        stranger=np.array([0.6, 0.1, 0.3], np.float32),
        stranger_people=np.array([3, 4, 5], np.int32),
        searched=3,
        stranger_named=np.zeros(3, np.int32),
    )
    a, b = search_group_rates(scores, ("a", "b", "", "a", "a", "b"), 0.5)
    assert (a.group, a.probes, a.strangers, a.fnir, a.fpir) == ("a", 2, 2, 0.5, 0.5)
    assert (b.group, b.probes, b.strangers, b.fnir, b.fpir) == ("b", 1, 1, 1.0, 0.0)
    assert b.fpir_interval == Interval(0.0, 0.975)  # one stranger
    assert a.fpir_interval == Interval(0.0, 1.0)
    nobody = search_group_rates(scores, ("a", "a", "", "", "", ""), 0.5)[0]
    assert nobody.fpir is None and nobody.fpir_interval is None
    (warning,) = disparity([replace(a, fnir=0.2, probes=900), replace(b, fnir=0.01, probes=900)], 3)
    assert "FNIR of group a" in warning


def rates_of(group: str, false: float, trials: int) -> GroupRates:
    return GroupRates(group, 10, 20, 0, trials, None, false, 0.0)


def test_a_warning_needs_more_than_the_stated_factor_and_enough_comparisons() -> None:
    two, six = rates_of("x", 2e-3, 100_000), rates_of("y", 6e-3, 100_000)
    assert disparity((two, six), 3.5) == ()
    (warning,) = disparity((two, six), 2.5)
    assert "FMR of group y" in warning and "2.5 times that of group x" in warning
    # No false match in 100 comparisons shows nothing lower than .03.
    assert disparity((rates_of("x", 0.0, 100), six), 2.5) == ()
    unseen = replace(six, images=400, fta=0.1)
    (warning,) = disparity((replace(six, group="x", images=400, fta=0.01), unseen), 2.5)
    assert "FTA of group y" in warning


def test_paired_difference_by_hand_and_against_the_sign_test() -> None:
    a = np.array([True] * 20 + [False] * 12 + [True] * 2)
    b = np.array([True] * 20 + [True] * 12 + [False] * 2)
    people = np.arange(34, dtype=np.int32)  # one attempt each: an exact sign test
    result = paired_difference(a, b, people, flips=40_000)
    assert (result.only_a, result.only_b, result.attempts) == (2, 12, 34)
    assert result.difference == pytest.approx(10 / 34)
    assert result.p_value == pytest.approx(binomtest(2, 14).pvalue, abs=0.003)
    assert result.interval.low > 0


def test_attempts_of_one_person_count_as_one() -> None:
    a, b = np.zeros(100, bool), np.ones(100, bool)
    alone = paired_difference(a, b, np.zeros(100, np.int32))
    assert alone.p_value == pytest.approx(1.0)  # one person can show nothing
    assert paired_difference(a, b, np.arange(100, dtype=np.int32)).p_value < 0.001
