"""Telling whether two pictures show a face pixel by pixel alike. Pure."""

import hashlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["look_digest"]


def look_digest(image_bgr: NDArray[np.uint8], box_xyxy_px: NDArray[np.float32]) -> bytes:
    """Return the SHA-256 of the pixels in a face's box and of its size: the same only for the same.

    The noise of a camera alone makes two of its pictures differ. What lies around the face is left
    out: some cameras write a clock into the picture.

    Args:
        image_bgr: uint8 (height, width, 3).
        box_xyxy_px: float32 (4,), at least partly inside the picture.
    """
    height, width = image_bgr.shape[:2]
    left, top, right, bottom = np.clip(np.rint(box_xyxy_px), 0, [width, height] * 2).astype(int)
    face = image_bgr[top:bottom, left:right]
    digest = hashlib.sha256(repr(face.shape).encode())
    digest.update(face.tobytes())
    return digest.digest()
