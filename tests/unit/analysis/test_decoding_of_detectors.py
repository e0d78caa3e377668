"""The vectorised readers of YuNet's and CenterFace's output against plain loops."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.analysis.detection.centerface import decode_centerface
from facerec.analysis.detection.yunet import decode_yunet
from facerec.analysis.faces import Faces

Face = tuple[float, list[float], list[tuple[float, float]]]


def yunet_by_loop(
    output: NDArray[np.float32], width: int, height: int, min_score: float
) -> list[Face]:
    faces = []
    cell = 0
    for stride in (8, 16, 32):
        for row in range(height // stride):
            for column in range(width // stride):
                v = [float(x) for x in output[cell]]
                cell += 1
                score = math.sqrt(v[0] * v[1])
                if score < min_score:
                    continue
                cx, cy = (column + v[2]) * stride, (row + v[3]) * stride
                w, h = math.exp(v[4]) * stride, math.exp(v[5]) * stride
                box = [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]
                marks = [
                    ((v[6 + 2 * k] + column) * stride, (v[7 + 2 * k] + row) * stride)
                    for k in range(5)
                ]
                faces.append((score, box, marks))
    assert cell == len(output)
    return faces


def centerface_by_loop(output: NDArray[np.float32], min_score: float) -> list[Face]:
    faces = []
    for row in range(output.shape[0]):
        for column in range(output.shape[1]):
            v = [float(x) for x in output[row, column]]
            if v[0] < min_score:
                continue
            h, w = 4 * math.exp(v[1]), 4 * math.exp(v[2])
            left = (column + v[4] + 0.5) * 4 - w / 2
            top = (row + v[3] + 0.5) * 4 - h / 2
            marks = [(left + v[6 + 2 * k] * w, top + v[5 + 2 * k] * h) for k in range(5)]
            faces.append((v[0], [left, top, left + w, top + h], marks))
    return faces


def assert_same(found: Faces, expected: list[Face]) -> None:
    assert len(found) == len(expected)
    for i, (score, box, marks) in enumerate(expected):
        assert found.detection_scores[i] == pytest.approx(score, abs=1e-5)
        np.testing.assert_allclose(found.boxes_xyxy_px[i], box, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(found.landmarks_px[i], marks, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("width", "height"), [(32, 32), (96, 64), (64, 160), (320, 224)])
def test_yunet_equals_the_loop(width: int, height: int) -> None:
    rng = np.random.default_rng(width * height)
    cells = sum((width // s) * (height // s) for s in (8, 16, 32))
    output = rng.normal(0, 1, (cells, 16)).astype(np.float32)
    output[:, :2] = rng.uniform(0, 1, (cells, 2))
    expected = yunet_by_loop(output, width, height, 0.6)
    assert expected
    assert_same(decode_yunet(output, width=width, height=height, min_score=0.6), expected)


def test_centerface_equals_the_loop() -> None:
    rng = np.random.default_rng(3)
    output = rng.normal(0, 1, (16, 24, 15)).astype(np.float32)
    output[..., 0] = rng.uniform(0, 1, (16, 24))
    expected = centerface_by_loop(output, 0.7)
    assert expected
    assert_same(decode_centerface(output, min_score=0.7), expected)


def test_nothing_seen_is_no_face() -> None:
    assert (
        len(decode_yunet(np.zeros((21, 16), np.float32), width=32, height=32, min_score=0.2)) == 0
    )
    assert len(decode_centerface(np.zeros((8, 8, 15), np.float32), min_score=0.2)) == 0


def test_scores_of_sigmoids_that_round_above_one_stay_at_one() -> None:
    output = np.zeros((21, 16), np.float32)
    output[4, :2] = np.nextafter(np.float32(1), np.float32(2))
    assert decode_yunet(output, width=32, height=32, min_score=0.5).detection_scores.tolist() == [1]
