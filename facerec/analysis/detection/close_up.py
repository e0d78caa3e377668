"""Looking at each face again, for more exact landmarks, boxes and scores."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.detection.merging import average_landmarks, best_of_face, weigh
from facerec.analysis.detection.placing import placed, resized
from facerec.analysis.faces import Faces

__all__ = ["look_again", "refine"]

FindCells = Callable[[NDArray[np.uint8]], Faces]

CLOSE_UP_PX = 192
FACE_PX = 112
"""Side of the close-up and of the face in it. Measured with YuNet and SFace on LFW folds 1 and 2,
all against all: mated pairs missed at FMR 1e-4 fall from .84 to .57 %, open-set misses at FPIR 1 %
from 1.58 to 1.33 %, more than embedding the mirrored chip brings. A close-up of 160 pixels shows
too little of what is around the face: it brings a third of that. A face of 75 pixels brings
less, too."""


def refine(
    find_cells: FindCells,
    image_bgr: NDArray[np.uint8],
    faces: Faces,
    *,
    min_score: float,
    face_px: int = FACE_PX,
) -> Faces:
    """Average each face with what is seen in a close-up of it.

    In the close-up the face has the size at which the detector is most exact and lies elsewhere
    on the grid of its cells, so its errors are nearly independent of the first look's. Measured on
    FDDB, where one box of the two looks alone is no better than the other: average precision
    rises from .981 to .988 (YuNet) and from .974 to .985 (CenterFace), and a quarter of the false
    positives of score .7 goes, as the close-up shows nothing there.

    Args:
        find_cells: Gives what the detector's cells see in a uint8 BGR image, in pixels of it.
        image_bgr: uint8 (height, width, 3).
        faces: What was found in it.
        min_score: Least score of a face, on average of both looks; a close-up that shows none
            counts as 0.
        face_px: Side of the face in the close-up.

    Returns:
        Faces with better landmarks, boxes and scores, best score first.
    """
    boxes, landmarks = np.empty_like(faces.boxes_xyxy_px), np.empty_like(faces.landmarks_px)
    scores = np.empty_like(faces.detection_scores)
    for i in range(len(faces)):
        face = faces[i : i + 1]
        cells = _close_up(find_cells, image_bgr, face, CLOSE_UP_PX, face_px)
        weights = weigh(cells, face)
        again = average_landmarks(cells, face, weights)
        box, score = best_of_face(cells, face, weights)
        landmarks[i] = (face.landmarks_px[0] + again.landmarks_px[0]) / 2
        boxes[i] = (face.boxes_xyxy_px[0] + box) / 2
        scores[i] = (face.detection_scores[0] + score) / 2
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= min_score]
    return Faces(boxes[order], scores[order], landmarks[order])


def look_again(
    find_cells: FindCells,
    image_bgr: NDArray[np.uint8],
    face: Faces,
    *,
    close_up_px: int,
    face_px: int,
) -> Faces:
    """Find the landmarks of a face in a close-up of it.

    Args:
        find_cells: Gives what a detector's cells see in a uint8 BGR image, in pixels of it.
        image_bgr: uint8 (height, width, 3).
        face: One face that was found in it.
        close_up_px: Side of the close-up, a multiple of 32.
        face_px: Side of the face in it.

    Returns:
        The face with the close-up's landmarks, or with its own where the close-up shows none.
    """
    cells = _close_up(find_cells, image_bgr, face, close_up_px, face_px)
    return average_landmarks(cells, face, weigh(cells, face))


def _close_up(
    find_cells: FindCells,
    image_bgr: NDArray[np.uint8],
    face: Faces,
    close_up_px: int,
    face_px: int,
) -> Faces:
    """Return what the cells see in a close-up of a face, in pixels of the image."""
    left, top, right, bottom = face.boxes_xyxy_px[0].tolist()
    face_side = math.sqrt(max((right - left) * (bottom - top), 1.0))
    side = max(round(face_side * close_up_px / face_px), 1)
    x, y = round((left + right - side) / 2), round((top + bottom - side) / 2)
    cells = find_cells(resized(_square(image_bgr, x, y, side), close_up_px, close_up_px))
    pixel = side / close_up_px
    return placed(cells, corner_xy=(x, y), pixel_size_xy=(pixel, pixel))


def _square(image_bgr: NDArray[np.uint8], x: int, y: int, side: int) -> NDArray[np.uint8]:
    """Cut out the square at (x, y), black beyond the image."""
    height, width = image_bgr.shape[:2]
    left, right = (min(max(edge, 0), width) for edge in (x, x + side))
    top, bottom = (min(max(edge, 0), height) for edge in (y, y + side))
    inside = image_bgr[top:bottom, left:right]
    if inside.shape[:2] == (side, side):
        return inside
    square = np.zeros((side, side, 3), np.uint8)
    square[top - y : bottom - y, left - x : right - x] = inside
    return square
