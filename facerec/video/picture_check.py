"""Noticing pictures that are none: frozen, green, blank. Pure; one instance a connection."""

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from facerec.video.camera_health import PictureFault

__all__ = ["PictureCheck"]

_EVERY_PX = 8
"""Every such pixel of every such row is looked at: 1/64 of a picture, a fraction of a ms."""
_FROZEN_AFTER_S = 3.0
"""A sensor's noise makes every picture different; a scene that stands still doesn't repeat bits."""
_GREEN_SHARE = 0.3
"""Share of a picture that must be the decoder's green; plants and walls are never that pure."""
_BLANK_SPREAD = 3.0
"""Largest standard deviation of a picture of one colour, grey levels of 255, in each channel."""


class PictureCheck:
    """Judges the pictures of one camera in the order in which they come."""

    def __init__(self) -> None:
        self._seen: int | None = None
        self._since_s = 0.0

    def judge(self, image_bgr: NDArray[np.uint8], clock_s: float) -> PictureFault | None:
        """Say what is wrong with the next picture.

        Args:
            image_bgr: uint8 (height, width, 3).
            clock_s: When it came, seconds, rising.

        Returns:
            None for a picture of something. Frozen is told after the same picture has come for
            3 s; it is told of a blank picture too.
        """
        sample = np.ascontiguousarray(image_bgr[::_EVERY_PX, ::_EVERY_PX])
        mark = crc32(sample.tobytes())
        if mark != self._seen:
            self._seen, self._since_s = mark, clock_s
        if _green_share(sample) > _GREEN_SHARE:
            return PictureFault.GREEN
        if float(sample.reshape(-1, 3).std(axis=0).max()) <= _BLANK_SPREAD:
            return PictureFault.BLANK
        if clock_s - self._since_s >= _FROZEN_AFTER_S:
            return PictureFault.FROZEN
        return None


def _green_share(sample: NDArray[np.uint8]) -> float:
    """Return the share of pixels near BGR (0, 135, 0), which is YCbCr (0, 0, 0) in BT.601."""
    blue, green, red = sample[..., 0], sample[..., 1], sample[..., 2]
    return float(((green >= 100) & (green <= 170) & (blue <= 24) & (red <= 24)).mean())
