"""Detection errors by hand and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve

from facerec.errors import ArrayError
from facerec.evaluation.metrics.detections import (
    DetectionScores,
    average_precision,
    intersection_over_union,
    match_image,
    recall_by_size,
)


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
    )
    small, middle, none, _ = recall_by_size(judged, 0.2)
    assert (small.recall, middle.recall, none.recall) == (1.0, 0.5, None)
    assert judged.recall_at(0.5) == pytest.approx(1 / 3)
    assert judged.false_positives_per_image(0.5) == 0.5
    assert judged.false_positives_per_image(0.85) == 0.0
