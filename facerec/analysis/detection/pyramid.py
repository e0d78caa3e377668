"""Looking at an image on all levels, then at each face again."""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.analysis.detection.close_up import FACE_PX, FindCells, refine
from facerec.analysis.detection.merging import merge, without_parts
from facerec.analysis.detection.placing import resized
from facerec.analysis.detection.suppression import areas
from facerec.analysis.detection.views import FaceSpan, Level, plan_levels, to_image
from facerec.analysis.faces import Faces
from facerec.errors import ArrayError

__all__ = ["detect_in_pyramid"]

MULTIPLE_PX = 32
"""Sides of a detector's input must be multiples of this."""

SUSPECTED_TO = 1.6
"""How far beyond the detector's largest face some cells still see one. Measured with YuNet on LFW
faces that overfill 640x480: at 1.8 times 448 pixels 93 % have a cell of score .5, against the .2
from which cells are kept; at 2.3 times none."""


def detect_in_pyramid(
    find_cells: FindCells,
    image_bgr: NDArray[np.uint8],
    *,
    span: FaceSpan,
    min_face_px: int,
    min_score: float,
    close_up_face_px: int | None = FACE_PX,
) -> Faces:
    """Find faces from `min_face_px` to larger than the image; see `Detector.detect`.

    Args:
        find_cells: Gives what the network's cells see in a uint8 BGR image whose sides are
            multiples of 32, in pixels of it.
        image_bgr: uint8 (height, width, 3).
        span: Face sides that the network finds.
        min_face_px: Smallest face side to find, in pixels of the image.
        min_score: Least score of a face, at the first look and on average with the close-up.
        close_up_face_px: Side of the face in the close-up; None for no close-up.

    Returns:
        Faces, best score first.
    """
    if image_bgr.ndim != 3 or image_bgr.shape[2] != 3 or image_bgr.dtype != np.uint8:
        raise ArrayError(
            f"image must be uint8 of shape (height, width, 3); "
            f"received {image_bgr.dtype} of shape {image_bgr.shape}"
        )
    height, width = image_bgr.shape[:2]
    if min(height, width) == 0:
        return Faces.empty()
    levels = plan_levels(width, height, min_face_px=min_face_px, span=span)
    seen = _look(find_cells, image_bgr, levels[0])
    for finer, level in pairwise(levels):
        if not _may_hide_larger(finer, seen, span):
            break
        coarse = _look(find_cells, image_bgr, level)
        too_large = coarse[
            (areas(coarse.boxes_xyxy_px) > (span.largest_px / finer.scale) ** 2)
            & (coarse.detection_scores >= min_score)
        ]
        seen = _join([without_parts(seen, too_large), coarse])
    found = merge(seen, min_score=min_score)
    if close_up_face_px is None:
        return found
    return refine(find_cells, image_bgr, found, min_score=min_score, face_px=close_up_face_px)


def _may_hide_larger(level: Level, cells: Faces, span: FaceSpan) -> bool:
    """Whether a coarser level can show a face that this one cannot.

    On a small level even a face too large to be found is suspected, so where nothing large was
    seen at all, the coarser level is spared: with a camera's frames of 640x480, nearly always.
    """
    if max(level.width, level.height) > SUSPECTED_TO * span.largest_px:
        return True
    sides = (cells.boxes_xyxy_px[:, 2:] - cells.boxes_xyxy_px[:, :2]).max(axis=1, initial=0)
    return bool((sides * level.scale > span.largest_px / 2).any())


def _look(find_cells: FindCells, image_bgr: NDArray[np.uint8], level: Level) -> Faces:
    """Give what the cells see on one level, in pixels of the image."""
    whole = resized(image_bgr, level.width, level.height)
    found = []
    for tile in level.tiles:
        part = whole[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]
        found.append(to_image(find_cells(_pad(part)), level, tile))
    return found[0] if len(found) == 1 else _join(found)


def _pad(image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Add black at the right and the bottom up to sides that the network takes."""
    height, width = image_bgr.shape[:2]
    below, right = -height % MULTIPLE_PX, -width % MULTIPLE_PX
    if not below and not right:
        return np.ascontiguousarray(image_bgr)
    padded = cv2.copyMakeBorder(image_bgr, 0, below, 0, right, cv2.BORDER_CONSTANT)
    return np.asarray(padded, np.uint8)


def _join(parts: list[Faces]) -> Faces:
    return Faces(
        np.concatenate([part.boxes_xyxy_px for part in parts]),
        np.concatenate([part.detection_scores for part in parts]),
        np.concatenate([part.landmarks_px for part in parts]),
    )
