"""Cells of one face become one face."""

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.detection.merging import average_landmarks, merge, weigh, without_parts
from facerec.analysis.faces import Faces


def faces(*rows: tuple[float, float, float, float, float]) -> Faces:
    """Score, left, top, width, height; all landmarks at the left upper corner."""
    table: NDArray[np.float32] = np.array(rows, np.float32).reshape(-1, 5)
    corner = table[:, 1:3]
    return Faces(
        np.concatenate([corner, corner + table[:, 3:5]], axis=1),
        table[:, 0].copy(),
        np.repeat(corner[:, None], 5, axis=1),
    )


def test_cells_of_one_face_are_averaged_by_score() -> None:
    merged = merge(faces((0.9, 0, 0, 10, 10), (0.3, 2, 0, 10, 10)), min_score=0.7)
    assert merged.detection_scores.tolist() == [np.float32(0.9)]
    np.testing.assert_allclose(merged.landmarks_px[0], [[0.5, 0]] * 5, atol=1e-6)
    assert merged.boxes_xyxy_px[0].tolist() == [0, 0, 10, 10]  # the best cell's


def test_faces_apart_stay_apart_best_first() -> None:
    merged = merge(
        faces((0.8, 0, 0, 10, 10), (0.9, 50, 0, 10, 10), (0.4, 51, 0, 10, 10)), min_score=0.7
    )
    assert merged.detection_scores.tolist() == [np.float32(0.9), np.float32(0.8)]
    np.testing.assert_allclose(merged.landmarks_px[1], [[0, 0]] * 5)


def test_weak_cells_alone_are_no_face() -> None:
    assert len(merge(faces((0.6, 0, 0, 10, 10), (0.5, 1, 0, 10, 10)), min_score=0.7)) == 0
    assert len(merge(Faces.empty(), min_score=0.7)) == 0


def test_a_cell_that_overlaps_little_does_not_pull() -> None:
    # Overlap 1/3: it is not kept as a face of its own, but speaks of another place.
    merged = merge(faces((0.9, 0, 0, 10, 10), (0.8, 5, 0, 10, 10)), min_score=0.7)
    np.testing.assert_allclose(merged.landmarks_px, [[[0, 0]] * 5])


def test_a_face_that_no_cell_sees_stays_as_it_is() -> None:
    one = faces((0.9, 0, 0, 10, 10))
    for cells in (Faces.empty(), faces((0.5, 90, 0, 10, 10))):
        np.testing.assert_array_equal(
            average_landmarks(cells, one, weigh(cells, one)).landmarks_px, one.landmarks_px
        )


def test_parts_of_a_larger_face_are_left_out() -> None:
    larger = faces((0.9, 0, 0, 100, 120))
    cells = faces(
        (0.95, 10, 60, 80, 70),  # the lower half, and a little below
        (0.9, 0, 0, 100, 120),  # the face itself
        (0.9, 70, 10, 80, 100),  # beside it, overlapping by less than half
        (0.9, 40, 40, 20, 24),  # a picture held before it
        (0.9, 300, 0, 60, 70),  # elsewhere
    )
    assert without_parts(cells, larger).boxes_xyxy_px[:, 0].tolist() == [70, 40, 300]
    assert len(without_parts(cells, Faces.empty())) == 5
    assert len(without_parts(Faces.empty(), larger)) == 0
