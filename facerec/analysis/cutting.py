"""Cutting a turned, scaled square out of an image."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["cut_out"]


def cut_out(
    image_bgr: NDArray[np.uint8],
    matrix: NDArray[np.float64],
    side: int,
    *,
    interpolation: int = cv2.INTER_LINEAR,
) -> NDArray[np.uint8]:
    """Cut out a square, without aliasing when it shrinks.

    Args:
        image_bgr: uint8 (height, width, 3).
        matrix: float64 (2, 3), a similarity from pixels of the image to pixels of the square, with
            pixel centres at whole numbers.
        side: Side of the square in pixels.
        interpolation: OpenCV's flag; other than bilinear changes no error rate measurably
            (docs/accuracy.md) and takes longer.

    Returns:
        uint8 (side, side, 3); black beyond the image.
    """
    part, moved = _shrunk(image_bgr, matrix, side)
    cut = cv2.warpAffine(part, moved, (side, side), flags=interpolation)
    return np.asarray(cut, np.uint8)


def _shrunk(
    image_bgr: NDArray[np.uint8], matrix: NDArray[np.float64], side: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Shrink the part of the image under the square by a whole factor, if it is large.

    Bilinear interpolation reads four pixels of the image for one of the square, so it aliases
    when the part is more than twice as large as the square.

    Returns:
        The image (or the shrunk part), and the matrix from its pixels to the square's.
    """
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    factor = int(1 / scale)
    if factor < 2:
        return image_bgr, matrix
    height, width = image_bgr.shape[:2]
    inverse = cv2.invertAffineTransform(matrix)
    square = np.array([[0, 0], [side, 0], [0, side], [side, side]], np.float64)
    corners = cv2.transform(square[None], inverse)[0]
    left, top = np.clip(np.floor(corners.min(axis=0)) - factor, 0, [width, height]).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0)) + factor, 0, [width, height]).astype(int)
    columns, rows = (right - left) // factor, (bottom - top) // factor
    if min(columns, rows) < 1:
        return image_bgr, matrix
    part = image_bgr[top : top + rows * factor, left : left + columns * factor]
    shrunk = np.asarray(cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    # Image pixel x lies at (x - left + 1/2) / factor - 1/2 of the shrunk part.
    middle = np.array([left, top]) + (factor - 1) / 2
    moved = np.column_stack([matrix[:, :2] * factor, matrix[:, 2] + matrix[:, :2] @ middle])
    return shrunk, moved
