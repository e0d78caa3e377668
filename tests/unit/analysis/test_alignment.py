"""The similarity transform and the chips cut with it."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facerec.analysis.alignment import align, similarity_transform
from facerec.errors import ArrayError
from facerec.inference.manifest import Alignment

ARCFACE = Alignment(
    112,
    (
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ),
)
TARGET = np.array(ARCFACE.landmarks_px)


def by_least_squares(
    source: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve x' = a x - b y + c, y' = b x + a y + d as any linear system."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        values += [u, v]
    a, b, c, d = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    return np.array([[a, -b, c], [b, a, d]])


coordinates = st.floats(-500, 500, allow_nan=False, width=32)
five_points = st.lists(st.tuples(coordinates, coordinates), min_size=5, max_size=5)


def apart(points: NDArray[np.float64]) -> bool:
    return bool(np.ptp(points, axis=0).max() > 1)


@given(five_points, five_points)
def test_is_the_least_squares_solution(
    source: list[tuple[float, float]], target: list[tuple[float, float]]
) -> None:
    s, t = np.array(source), np.array(target)
    if not apart(s):
        return
    np.testing.assert_allclose(similarity_transform(s, t), by_least_squares(s, t), atol=1e-5)


@given(
    five_points,
    st.floats(0.05, 20),
    st.floats(-np.pi, np.pi),
    coordinates,
    coordinates,
)
def test_recovers_a_similarity_and_its_inverse(
    points: list[tuple[float, float]], scale: float, angle: float, dx: float, dy: float
) -> None:
    source = np.array(points)
    if not apart(source):
        return
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = source @ turn.T + [dx, dy]
    there = similarity_transform(source, target)
    np.testing.assert_allclose(there, np.column_stack([turn, [dx, dy]]), atol=1e-5)
    back = similarity_transform(target, source)
    np.testing.assert_allclose(target @ back[:, :2].T + back[:, 2], source, atol=1e-4)


def test_never_mirrors() -> None:
    mirrored = TARGET * [-1, 1]
    matrix = similarity_transform(mirrored, TARGET)
    assert np.linalg.det(matrix[:, :2]) > 0


@pytest.mark.parametrize(
    "points", [np.zeros((5, 2)), np.full((5, 2), 7.5), np.full((5, 2), np.nan)]
)
def test_points_in_one_place_are_refused(points: NDArray[np.float64]) -> None:
    with pytest.raises(ArrayError, match="coincide"):
        similarity_transform(points, TARGET)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ArrayError, match="one shape"):
        similarity_transform(TARGET[:4], TARGET)


def smooth_picture(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    return cv2.normalize(smooth, np.empty(0), 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def test_a_face_in_the_template_is_cut_out_as_it_is() -> None:
    image = smooth_picture(200, 300, 1)
    landmarks = TARGET + np.array([30, 40])
    chips = align(image, landmarks[None].astype(np.float32), ARCFACE)
    assert chips.shape == (1, 112, 112, 3)
    assert np.abs(chips[0].astype(int) - image[40:152, 30:142]).max() <= 1


@pytest.mark.parametrize("factor", [0.5, 1.3, 1.9, 2.0, 2.7, 4.0, 9.3])
@pytest.mark.parametrize("turned", [0.0, 0.6])
def test_larger_faces_give_the_same_chip(factor: float, turned: float) -> None:
    """A smooth picture, drawn larger: the chip must not shift, whatever way it is shrunk."""
    chip = smooth_picture(112, 112, 2)
    turn = factor * np.array([[np.cos(turned), -np.sin(turned)], [np.sin(turned), np.cos(turned)]])
    middle = np.array([55.5, 55.5])
    side = int(112 * factor * 1.6) + 20
    matrix = np.column_stack([turn, np.full(2, (side - 1) / 2) - turn @ middle])
    image = cv2.warpAffine(
        chip, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    landmarks = TARGET @ turn.T + matrix[:, 2]
    found = align(image, landmarks[None].astype(np.float32), ARCFACE)[0]
    inner = (slice(4, -4), slice(4, -4))
    assert np.abs(found[inner].astype(int) - chip[inner]).mean() < (3.0 if factor < 1 else 1.0)


def test_a_large_face_does_not_alias() -> None:
    """Stripes finer than the chip's pixels must become grey, not coarser stripes."""
    image = np.zeros((700, 700, 3), np.uint8)
    image[:, ::2] = 255
    landmarks = (TARGET * 5.2 + 20)[None].astype(np.float32)
    chip = align(image, landmarks, ARCFACE)[0]
    assert np.abs(chip[4:-4, 4:-4].astype(int) - 127).max() < 40


def test_beyond_the_image_is_black() -> None:
    image = np.full((112, 112, 3), 200, np.uint8)
    chip = align(image, (TARGET - [60, 0])[None].astype(np.float32), ARCFACE)[0]
    assert chip[:, :58].max() == 0
    assert chip[:, 62:].min() == 200


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_a_face_wholly_outside_gives_a_black_chip(factor: float) -> None:
    image = np.full((50, 50, 3), 200, np.uint8)
    landmarks = (TARGET * factor + 5000)[None].astype(np.float32)
    assert align(image, landmarks, ARCFACE).max() == 0


def test_no_faces_give_no_chips() -> None:
    image = np.zeros((9, 9, 3), np.uint8)
    assert align(image, np.zeros((0, 5, 2), np.float32), ARCFACE).shape == (0, 112, 112, 3)
