"""Intervals: people are the unit, and weights do what copying would."""

import numpy as np
import pytest
from scipy.stats import binomtest

from facerec.errors import ArrayError
from facerec.evaluation.metrics.bootstrap import (
    Interval,
    _Measures,
    bootstrap,
    interval_of,
    person_weights,
    rate_key,
    uncertain,
    verification_intervals,
)
from facerec.evaluation.metrics.comparisons import compare_all
from facerec.evaluation.metrics.paired import verification_differences
from facerec.evaluation.metrics.rates import tar_at_far
from tests.unit.evaluation.test_comparisons import people_and_faces


def test_weights_are_draws_with_replacement() -> None:
    rows = np.array(list(person_weights(50, draws=400, seed=1)))
    assert (rows.sum(axis=1) == 50).all()
    assert rows.mean() == 1.0
    assert rows.var() == pytest.approx(1 - 1 / 50, abs=0.03)  # multinomial


def test_a_draw_equals_copying_its_people() -> None:
    """Compare with the pairs of a set in which people really are repeated."""
    vectors, people = people_and_faces(4, people=25, dimensions=6)
    comparisons = compare_all(vectors, people)
    rates = [0.3, 0.1, 0.02]
    measures = _Measures(comparisons, rates)
    for weights in person_weights(25, draws=10, seed=3):
        got = measures.draw(weights)
        assert got is not None
        mated, other = [], []
        for i in range(len(people)):
            for j in range(i + 1, len(people)):
                score = float(vectors[i] @ vectors[j])
                a, b = int(weights[people[i]]), int(weights[people[j]])
                if people[i] == people[j]:
                    mated += [score] * a
                else:
                    other += [score] * (a * b)
        descending = np.sort(other)[::-1]
        for rate, tar in zip(rates, got[:-1], strict=True):
            threshold = descending[int(np.floor(rate * len(other) + 1e-9))] + 1e-7
            assert tar == pytest.approx(np.mean(np.array(mated) >= threshold), abs=1e-9)


def test_intervals_hold_the_estimate_and_cover_the_truth() -> None:
    vectors, people = people_and_faces(7, people=150, dimensions=12)
    comparisons = compare_all(vectors, people)
    intervals = verification_intervals(comparisons, (1e-1, 1e-2, 1e-9), draws=200)
    assert set(intervals) == {"tar_at_far:1e-1", "tar_at_far:1e-2", "eer"}
    for answer in tar_at_far(comparisons.mated, comparisons.non_mated, (1e-1, 1e-2)):
        assert intervals[f"tar_at_far:{rate_key(answer.at)}"].holds(answer.rate)


def test_a_difference_is_drawn_on_the_same_people_for_both() -> None:
    vectors, people = people_and_faces(5, people=120, dimensions=12)
    noise = np.random.default_rng(1).normal(size=vectors.shape)
    worse = (vectors + 0.03 * noise).astype(np.float32)
    worse /= np.linalg.norm(worse, axis=1, keepdims=True)
    one, other = compare_all(worse, people), compare_all(vectors, people)
    got = verification_differences(one, other, (1e-1,), draws=40)
    rows = [
        [m.draw(weights) for m in (_Measures(one, [0.1]), _Measures(other, [0.1]))]
        for weights in person_weights(one.people_count, draws=40)
    ]
    expected = np.array([np.subtract(b, a) for a, b in rows])
    assert got["tar_at_far:1e-1"] == interval_of(expected[:, 0])
    assert got["eer"] == interval_of(expected[:, 1])
    alike = verification_differences(one, one, (1e-1,), draws=20)
    assert set(alike.values()) == {Interval(0, 0)}
    # Far narrower than if the two were drawn apart: what is hard is hard for both.
    apart = [verification_intervals(each, (1e-1,), draws=40)["eer"] for each in (one, other)]
    assert got["eer"].high - got["eer"].low < 0.7 * sum(i.high - i.low for i in apart) / 2
    with pytest.raises(ArrayError, match="the same pictures of both"):
        verification_differences(one, compare_all(vectors, people[::-1].copy()), (1e-1,))


def test_coverage_of_a_mean_is_about_95_percent() -> None:
    random = np.random.default_rng(0)
    held = 0
    for trial in range(200):
        values = random.normal(size=60)
        interval = bootstrap(lambda w, v=values: float(w @ v / w.sum()), 60, draws=200, seed=trial)
        assert interval is not None
        held += interval.holds(0.0)
    assert 0.90 <= held / 200 <= 0.985


def test_no_interval_promises_certainty() -> None:
    # By hand: n people who all succeed are no surprise down to a rate of .025 ** (1 / n).
    assert uncertain(Interval(1, 1), 1.0, 30) == Interval(0.025 ** (1 / 30), 1.0)
    assert uncertain(Interval(0, 0), 0.0, 30) == Interval(0.0, 1 - 0.025 ** (1 / 30))
    assert uncertain(Interval(0.1, 0.2), 0.15, 30) == Interval(0.1, 0.2)
    expected = binomtest(30, 30).proportion_ci(method="exact")
    assert uncertain(Interval(1, 1), 1.0, 30).low == pytest.approx(expected.low)
    vectors, people = people_and_faces(7, people=40, dimensions=64)
    intervals = verification_intervals(compare_all(vectors, people), (1e-1,), draws=50)
    assert intervals["tar_at_far:1e-1"].high == 1
    assert intervals["tar_at_far:1e-1"].low < 0.95  # nobody of some forty people was missed


def test_intervals_and_keys() -> None:
    assert interval_of(np.arange(1001.0)) == Interval(25.0, 975.0)
    assert [rate_key(r) for r in (1e-1, 1e-6, 0.003)] == ["1e-1", "1e-6", "0.003"]
    assert bootstrap(lambda weights: None, 5) is None
