"""Cutting a face out of a frame, to be shown to people. Pure."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["face_crop"]

_MARGIN = 0.4
"""Of the box's side, added on each side: hair and chin, which a detector's box leaves out."""


def face_crop(image_bgr: NDArray[np.uint8], box_xyxy_px: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a copy of the part of a picture around a box, as far as the picture goes.

    Args:
        image_bgr: uint8 (height, width, 3).
        box_xyxy_px: float32 (4,), at least partly inside the picture.
    """
    height, width = image_bgr.shape[:2]
    margin = _MARGIN * max(float(side) for side in box_xyxy_px[2:] - box_xyxy_px[:2])
    left, top = (max(0, round(float(edge) - margin)) for edge in box_xyxy_px[:2])
    right = min(width, round(float(box_xyxy_px[2]) + margin))
    bottom = min(height, round(float(box_xyxy_px[3]) + margin))
    return image_bgr[top:bottom, left:right].copy()
