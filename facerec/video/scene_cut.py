"""Noticing that a picture has nothing to do with the one before. Pure; one instance a camera."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["SceneCut"]

_EVERY_PX = 16
_CHANGED_LEVELS = 24
"""A pixel that differs by more grey levels than noise, coding and shadows make has changed."""
_CHANGED_SHARE = 0.6
"""Share of changed pixels from which the whole picture is another. A face that fills a third of the
picture and moves changes less, and so does a person who walks through."""


class SceneCut:
    """Compares each picture with the one before: an edit of a film, a camera that was turned."""

    def __init__(self) -> None:
        self._before: NDArray[np.int16] | None = None

    def is_cut(self, image_bgr: NDArray[np.uint8]) -> bool:
        """Tell whether the next picture, uint8 (height, width, 3), shows another scene.

        The mean is taken off first, so that a lamp that is switched on is no cut. A change of the
        picture's size is one.
        """
        grey = image_bgr[::_EVERY_PX, ::_EVERY_PX, 1].astype(np.int16)
        levelled = (grey - round(float(grey.mean()))).astype(np.int16)
        before, self._before = self._before, levelled
        if before is None:
            return False
        if before.shape != levelled.shape:
            return True
        return float((np.abs(levelled - before) > _CHANGED_LEVELS).mean()) > _CHANGED_SHARE
