"""A second look at each face moves its box, landmarks and score half-way."""

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.detection.close_up import refine
from facerec.analysis.detection.pyramid import detect_in_pyramid
from facerec.analysis.detection.views import FaceSpan
from facerec.analysis.faces import Faces
from tests.unit.analysis.test_merging import faces

IMAGE = np.zeros((400, 400, 3), np.uint8)
# 112 pixels wide, so the close-up of 192 pixels is the image's own, from (60, 60).
FOUND = faces((0.9, 100, 100, 112, 112))


def refined(*cells: tuple[float, float, float, float, float], min_score: float = 0.5) -> Faces:
    def find_cells(close_up_bgr: NDArray[np.uint8]) -> Faces:
        assert close_up_bgr.shape == (192, 192, 3)
        return faces(*cells)

    return refine(find_cells, IMAGE, FOUND, min_score=min_score)


def test_the_best_cell_of_the_close_up_counts_as_much_as_the_first_look() -> None:
    found = refined((0.7, 44, 40, 112, 116), (0.6, 40, 40, 112, 112), (0.95, 0, 0, 30, 30))
    np.testing.assert_allclose(found.boxes_xyxy_px, [[102, 100, 214, 214]], atol=1e-4)
    np.testing.assert_allclose(found.detection_scores, [0.8], atol=1e-6)
    # The landmarks of all cells that see the face, by score: (.7 * 104 + .6 * 100) / 1.3.
    x = (100 + (0.7 * 104 + 0.6 * 100) / 1.3) / 2
    np.testing.assert_allclose(found.landmarks_px[0, 0], [x, 100], atol=1e-3)


def test_a_face_that_the_close_up_does_not_show_loses_half_of_its_score() -> None:
    for cells in ((), ((0.9, 0, 0, 40, 40),)):
        kept = refined(*cells, min_score=0.4)
        np.testing.assert_allclose(kept.detection_scores, [0.45])
        np.testing.assert_array_equal(kept.boxes_xyxy_px, FOUND.boxes_xyxy_px)
        np.testing.assert_array_equal(kept.landmarks_px, FOUND.landmarks_px)
        assert len(refined(*cells, min_score=0.5)) == 0


def test_the_best_face_after_the_second_look_comes_first() -> None:
    two = faces((0.9, 100, 100, 112, 112), (0.8, 250, 100, 112, 112))

    def find_cells(close_up_bgr: NDArray[np.uint8]) -> Faces:
        # The first face's close-up is black, the second's has something white at its right.
        return faces((0.9 if close_up_bgr.any() else 0.2, 40, 40, 112, 112))

    image = IMAGE.copy()
    image[:, 390:] = 255
    found = refine(find_cells, image, two, min_score=0.1)
    np.testing.assert_allclose(found.detection_scores, [0.85, 0.55], atol=1e-6)
    assert found.boxes_xyxy_px[:, 0].tolist() == [250, 100]


def test_the_close_up_can_be_left_out() -> None:
    looks: list[tuple[int, ...]] = []

    def find_cells(image_bgr: NDArray[np.uint8]) -> Faces:
        looks.append(image_bgr.shape)
        return FOUND

    for face_px, expected in ((112, 2), (None, 1)):
        looks.clear()
        detect_in_pyramid(
            find_cells,
            IMAGE,
            span=FaceSpan(smallest_px=24, largest_px=448),
            min_face_px=24,
            min_score=0.1,
            close_up_face_px=face_px,
        )
        assert len(looks) == expected
