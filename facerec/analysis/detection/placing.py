"""Moving faces between the pixels of an image and of a resized part of it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.analysis.faces import Faces

__all__ = ["placed", "resized"]


def resized(image_bgr: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Resize an image; the image itself where it has that size."""
    if image_bgr.shape[:2] == (height, width):
        return image_bgr
    shrinks = width < image_bgr.shape[1]
    # Averaging the pixels that fall together: anything else aliases when it shrinks.
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image_bgr, (width, height), interpolation=method), np.uint8)


def placed(
    faces: Faces, *, corner_xy: tuple[float, float], pixel_size_xy: tuple[float, float]
) -> Faces:
    """Move faces from the pixels of a resized part of an image to those of the image.

    Args:
        faces: Faces in pixels of the part; pixel centres lie at whole numbers.
        corner_xy: Where the part's left upper corner (of its first pixel, not its centre) lies in
            the image, in pixels of the image from the image's corner.
        pixel_size_xy: Width and height of the part's pixels, in pixels of the image.

    Returns:
        The same faces in pixels of the image.
    """
    size, shift = np.array(
        [pixel_size_xy, [c + (s - 1) / 2 for c, s in zip(corner_xy, pixel_size_xy, strict=True)]],
        np.float32,
    )
    return Faces(
        (faces.boxes_xyxy_px.reshape(-1, 2, 2) * size + shift).reshape(-1, 4),
        faces.detection_scores,
        faces.landmarks_px * size + shift,
    )
