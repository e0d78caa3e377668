"""Another view made of the same photograph, for somebody of whom there is only one."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["second_view"]

_TURN_DEG = 4.0
_GAMMA = 1.35
_WARMTH = (0.86, 0.97, 1.06)
_CROP = (0.14, 0.0, 0.76, 0.62)
_SCALE = 0.8


def second_view(photograph_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the photograph mirrored, cropped, turned, made smaller, darker and warmer.

    It's no second photograph: expression and moment are the same, so that it shows that the
    pipeline holds together and not how well people are recognised.

    Args:
        photograph_bgr: uint8 (height, width, 3).
    """
    height, width = photograph_bgr.shape[:2]
    turning = cv2.getRotationMatrix2D((width / 2, height / 2), _TURN_DEG, 1.0)
    turned = cv2.warpAffine(
        photograph_bgr[:, ::-1], turning, (width, height), borderMode=cv2.BORDER_REFLECT_101
    )
    left, top, right, bottom = np.rint(np.array(_CROP) * (width, height, width, height)).astype(int)
    cropped = turned[top:bottom, left:right].astype(np.float32) / 255
    relit = cropped**_GAMMA * np.array(_WARMTH, np.float32)
    smaller = cv2.resize(relit, None, fx=_SCALE, fy=_SCALE, interpolation=cv2.INTER_AREA)
    return np.clip(np.rint(255 * smaller), 0, 255).astype(np.uint8)
