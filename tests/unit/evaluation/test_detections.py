"""Detection errors by hand and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.metrics import precision_recall_curve

from facerec.errors import ArrayError
from facerec.evaluation.metrics.detection_intervals import detection_intervals
from facerec.evaluation.metrics.detections import (
    DetectionScores,
    average_precision,
    intersection_over_union,
    match_image,
    recall_by_size,
)
from facerec.evaluation.metrics.track_intervals import share_interval


def test_overlap_by_hand() -> None:
    a = np.array([[0, 0, 2, 2], [5, 5, 6, 6]], float)
    b = np.array([[1, 0, 3, 2], [0, 0, 2, 2], [1, 1, 1, 1]], float)
    np.testing.assert_allclose(intersection_over_union(a, b), [[1 / 3, 1, 0], [0, 0, 0]])


def test_a_face_is_claimed_once_by_the_best_detection() -> None:
    truth = np.array([[0, 0, 10, 10], [20, 20, 30, 30]], float)
    boxes = np.array([[0, 0, 10, 9], [0, 0, 10, 10], [50, 50, 60, 60], [20, 20, 30, 30]], float)
    claimed = match_image(boxes, np.array([0.6, 0.9, 0.8, 0.7], np.float32), truth)
    np.testing.assert_array_equal(claimed, [-1, 0, -1, 1])
    assert match_image(boxes, np.ones(4, np.float32), np.zeros((0, 4))).tolist() == [-1] * 4


def test_average_precision_by_hand() -> None:
    # Right, wrong, right of three faces: precision 1, 1/2, 2/3 at recall 1/3, 1/3, 2/3.
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    right = np.array([True, False, True])
    assert average_precision(scores, right, 3) == pytest.approx(1 / 3 + 2 / 3 * 1 / 3)
    assert average_precision(scores, np.zeros(3, bool), 3) == 0.0
    assert average_precision(np.zeros(0, np.float32), np.zeros(0, bool), 3) == 0.0
    with pytest.raises(ArrayError, match="at least one annotated face"):
        average_precision(scores, right, 0)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=40))
def test_average_precision_is_the_area_of_scikit_learns_curve(
    detections: list[tuple[int, bool]],
) -> None:
    scores = np.array([s / 10 for s, _ in detections], np.float32)
    right = np.array([label for _, label in detections])
    if not right.any():
        return
    precision, recall, _ = precision_recall_curve(right, scores)
    envelope = np.maximum.accumulate(precision)  # its points run from high recall to low
    area = float(np.sum(-np.diff(recall) * envelope[:-1]))
    assert average_precision(scores, right, int(right.sum())) == pytest.approx(area)


def test_recall_by_size_and_false_positives() -> None:
    judged = DetectionScores(
        scores=np.array([0.9, 0.8, 0.3], np.float32),
        correct=np.array([True, False, True]),
        image=np.array([0, 0, 1], np.int32),
        face_sizes_px=np.array([20.0, 40.0, 50.0]),
        face_scores=np.array([0.9, 0.3, -np.inf], np.float32),
        landmark_errors=np.zeros(0),
        images=2,
        failed_images=0,
        face_images=np.array([0, 0, 1], np.int32),
    )
    small, middle, none, _ = recall_by_size(judged, 0.2)
    assert (small.recall, middle.recall, none.recall) == (1.0, 0.5, None)
    assert judged.recall_at(0.5) == pytest.approx(1 / 3)
    assert judged.false_positives_per_image(0.5) == 0.5
    assert judged.false_positives_per_image(0.85) == 0.0


def judged_images(images: int, right_each: list[bool]) -> DetectionScores:
    """Return images of one annotated face and one detection of score .9 each."""
    right = np.array(right_each * (images // len(right_each)))
    return DetectionScores(
        scores=np.full(images, 0.9, np.float32),
        correct=right,
        image=np.arange(images, dtype=np.int32),
        face_sizes_px=np.full(images, 50.0),
        face_scores=np.where(right, 0.9, -np.inf).astype(np.float32),
        landmark_errors=np.zeros(0),
        images=images,
        failed_images=0,
        face_images=np.arange(images, dtype=np.int32),
    )


def test_intervals_of_independent_images_are_the_binomial_ones() -> None:
    made = detection_intervals(judged_images(400, [True, True, True, False]), 0.5)
    expected = binom.ppf([0.025, 0.975], 400, 0.75) / 400
    for key in ("recall", "false_positives_per_image"):
        middle = 0.75 if key == "recall" else 0.25
        assert [made[key].low, made[key].high] == pytest.approx(
            expected - 0.75 + middle, abs=0.015
        ), key
    # All have one score, so the curve is one point: precision .75 at recall .75.
    assert made["ap50"].low == pytest.approx(made["recall"].low ** 2, abs=0.01)
    assert made["ap50"].holds(judged_images(400, [True, True, True, False]).ap50)


def test_a_weight_of_two_is_a_detection_twice() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    right = np.array([True, False, True, True])
    rows = np.array([0, 0, 1, 2, 2, 2, 3])
    twice = average_precision(scores, right, 9, np.array([2.0, 1.0, 3.0, 1.0]))
    assert twice == pytest.approx(average_precision(scores[rows], right[rows], 9))


@pytest.mark.parametrize(
    ("hits", "people", "low", "high", "why"),
    [
        ([], [], None, None, "nothing was tried"),
        ([True] * 8, list("aabbccdd"), 0.025**0.25, 1.0, "four people, not eight tracks"),
        ([False] * 3, list("abc"), 0.0, 1 - 0.025 ** (1 / 3), "none is no proof of never"),
        ([True, False], ["a", "b"], 0.0, 1.0, "two people who differ show nothing"),
        ([True, False], ["a", "a"], 0.0, 1.0, "one person says nothing of others"),
    ],
)
def test_shares_of_few_people(
    hits: list[bool], people: list[str], low: float | None, high: float | None, why: str
) -> None:
    found = share_interval(hits, people)
    assert (None if found is None else found.low) == pytest.approx(low), why
    assert (None if found is None else found.high) == pytest.approx(high), why
