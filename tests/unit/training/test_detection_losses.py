"""YuNet's assignment and losses against loops in NumPy."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from facerec.analysis.detection.yunet import decode_yunet
from facerec.evaluation.metrics.detections import intersection_over_union
from facerec.training.detection_losses import (
    assign,
    cells_of,
    decode,
    detection_loss,
    efficient_iou_loss,
)

SIDE = 96
CELLS = cells_of(SIDE)
COUNT = len(CELLS.strides_px)
FACES = np.array([[10, 12, 50, 60], [30, 20, 70, 70], [60, 60, 84, 90], [0, 0, 0, 0]], np.float32)
PRESENT = np.array([1, 1, 1, 0], np.float32)


def outputs(seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    made = random.normal(0, 0.3, (COUNT, 16)).astype(np.float32)
    made[:, :2] = random.uniform(0.02, 0.98, (COUNT, 2))
    made[:, 4:6] += np.log(40 / CELLS.strides_px)
    return made


def assign_slowly(out: np.ndarray) -> np.ndarray:
    """SimOTA, face by face."""
    boxes = np.asarray(decode(out[None], CELLS))[0].astype(np.float64)
    scores = np.sqrt(out[:, 0] * out[:, 1])
    overlaps = intersection_over_union(boxes, FACES.astype(np.float64))
    points = CELLS.corners_px + CELLS.strides_px / 2
    costs = np.full((COUNT, len(FACES)), np.inf)
    chosen = np.zeros((COUNT, len(FACES)), bool)
    for face in range(3):
        low, high = FACES[face, :2], FACES[face, 2:]
        inside = ((points > low) & (points < high)).all(axis=1)
        central = (np.abs(points - (low + high) / 2) < 2.5 * CELLS.strides_px).all(axis=1)
        allowed = inside | central
        cost = -np.log(scores) - 3 * np.log(overlaps[:, face] + 1e-8) + 1e5 * ~(inside & central)
        costs[allowed, face] = cost[allowed]
        best = np.sort(np.where(allowed, overlaps[:, face], 0))[::-1][:10]
        wanted = max(int(best.sum()), 1)
        order = np.argsort(costs[:, face], kind="stable")[:wanted]
        chosen[order[np.isfinite(costs[order, face])], face] = True
    for cell in np.flatnonzero(chosen.sum(axis=1) > 1):
        keep = np.argmin(np.where(chosen[cell], costs[cell], np.inf))
        chosen[cell] = np.arange(len(FACES)) == keep
    return chosen


@pytest.mark.parametrize("seed", range(6))
def test_assignment_is_simota(seed: int) -> None:
    out = outputs(seed)
    boxes = decode(out[None], CELLS)
    scores = np.sqrt(out[:, 0] * out[:, 1])[None]
    answers, _ = assign(scores, boxes, CELLS, FACES[None], PRESENT[None])
    received = np.asarray(answers)[0]
    assert np.array_equal(received > 0, assign_slowly(out))
    assert (received.sum(axis=1) <= 1).all() and received[:, 3].sum() == 0
    assert (received.sum(axis=0)[:3] >= 1).all()


def test_boxes_are_decoded_as_the_detector_decodes_them() -> None:
    out = outputs(1)
    served = decode_yunet(out, width=SIDE, height=SIDE, min_score=0.0)
    np.testing.assert_allclose(decode(out[None], CELLS)[0], served.boxes_xyxy_px, atol=1e-3)


def test_efficient_iou_by_hand() -> None:
    """Two squares of 10, moved by 5: IoU 1/3, hull 15x10, centre off by 5, sides equal."""
    one, other = np.array([[0.0, 0, 10, 10]]), np.array([[5.0, 0, 15, 10]])
    assert float(efficient_iou_loss(one, other)[0]) == pytest.approx(2 / 3 + 25 / (225 + 100))
    # Same centre, twice as wide: IoU 1/2, width off by 10 in a hull of 20.
    assert float(
        efficient_iou_loss(np.array([[5.0, 0, 15, 10]]), np.array([[0.0, 0, 20, 10]]))[0]
    ) == pytest.approx(0.5 + 0.25)


def total(out, landmarks: np.ndarray, known: np.ndarray):
    return detection_loss(out, CELLS, FACES[None], PRESENT[None], landmarks, known)


def test_the_loss_falls_along_its_slope_and_a_perfect_answer_costs_little() -> None:
    random = np.random.default_rng(3)
    landmarks = random.uniform(0, SIDE, (1, 4, 10)).astype(np.float32)
    known = np.array([[1, 0, 1, 0]], np.float32)
    variable = tf.Variable(outputs(2)[None])
    with tf.GradientTape() as tape:
        before = total(variable, landmarks, known)
    slope = tape.gradient(before, variable)
    assert np.isfinite(slope).all()
    step = 1e-4 / float(tf.norm(slope))
    after = total(variable - step * slope, landmarks, known)
    expected = float(before) - step * float(tf.reduce_sum(slope**2))
    assert float(after) == pytest.approx(expected, rel=1e-3)
    assert float(after) < float(before)


def test_unknown_landmarks_teach_nothing() -> None:
    out = ops.convert_to_tensor(outputs(4)[None])
    none, some = np.zeros((1, 4), np.float32), np.array([[1, 1, 1, 0]], np.float32)
    near, far = (np.full((1, 4, 10), value, np.float32) for value in (10.0, 900.0))
    assert float(total(out, near, none)) == float(total(out, far, none))
    assert float(total(out, near, some)) < float(total(out, far, some))
