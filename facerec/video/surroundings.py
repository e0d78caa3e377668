"""Noticing that another picture stands where a followed face stood. Pure.

Boxes do not tell: whoever takes a person's place at the same spot, by an edit of a film, while the
stream hung or behind somebody's back, goes on in their box. But then the picture at and around the
face changes at once, and far more than a face that moves changes it.
"""

import math
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Surroundings"]

_REACH = 2.4
"""Side of the region, in sides of the box: hair, collar and some of what is behind them."""
_CELLS = 16
"""Cells a side. One is a seventh of a face, more than a face moves between two frames."""
_ALIKE = 0.88
"""Correlation under which the region shows something else. Of 533 successive frames (30 a second)
of 8 clips of people who gesture 3 fall under it; of 3,746 pairs of frames of different people, cut
to the same spot, often before much the same wall, the most alike reach .79 (docs/cameras.md)."""
_NOISE_LEVELS = 2.0
"""Grey levels by which cells differ by noise alone: an even region states nothing."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a picture shows at and around a box.

    Attributes:
        box_xyxy_px: float32 (4,).
        cells: float32 (16, 16), grey levels, less their mean.
    """

    box_xyxy_px: NDArray[np.float32]
    cells: NDArray[np.float32]

    @classmethod
    def of(cls, image_bgr: NDArray[np.uint8], box_xyxy_px: NDArray[np.float32]) -> Self:
        """Look at a box (4,) of a picture, uint8 (height, width, 3); its edge is continued."""
        left, top, right, bottom = (float(side) for side in box_xyxy_px)
        side = max(2, round(_REACH * math.sqrt(max((right - left) * (bottom - top), 1.0))))
        middle = (left + right) / 2, (top + bottom) / 2
        region = cv2.getRectSubPix(image_bgr, (side, side), middle)
        cells = cv2.resize(region, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
        grey = np.asarray(cells, np.float32).mean(axis=2)
        return cls(box_xyxy_px, np.asarray(grey - grey.mean(), np.float32))

    def in_next(self, image_bgr: NDArray[np.uint8]) -> "Surroundings":
        """Look at the same box of the next picture."""
        return Surroundings.of(image_bgr, self.box_xyxy_px)

    def is_like(self, other: "Surroundings") -> bool:
        """Tell whether two looks show the same, whatever the light."""
        noise = _NOISE_LEVELS**2 * self.cells.size
        together = float(np.vdot(self.cells, other.cells))
        lengths = [float(np.vdot(look.cells, look.cells)) for look in (self, other)]
        return together + noise >= _ALIKE * (math.sqrt(lengths[0] * lengths[1]) + noise)
