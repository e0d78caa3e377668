"""Noticing that another picture stands where a followed face stood. Pure.

Boxes do not tell: whoever takes a person's place at the same spot, by an edit of a film, while the
stream hung or behind somebody's back, goes on in their box. But then the picture at and around the
face changes at once, and far more than a face that moves changes it.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Surroundings"]

_REACH = 2.4
"""Side of the region, in sides of the box: hair, collar and some of what is behind them."""
_CELLS = 16
"""Cells a side. One is a seventh of a face, more than a face moves between two frames."""
_SAMPLES = 4
"""Pixels taken of each cell's side, so that a face that fills a large picture costs no more."""
_AT = (np.arange(_CELLS * _SAMPLES) + 0.5) / (_CELLS * _SAMPLES) * 2 - 1
"""Where they lie, -1..1 over the region."""
_ALIKE = 0.88
"""Correlation under which the region shows something else. Of 533 successive frames (30 a second)
of 8 clips of people who gesture 3 fall under it; of 3,746 pairs of frames of different people, cut
to the same spot, often before much the same wall, the most alike reach .80 (docs/cameras.md)."""
_NOISE_LEVELS = 2.0
"""Levels by which cells differ by noise alone: an even region states nothing."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a picture shows at and around a box.

    Attributes:
        box_xyxy_px: float32 (4,).
        cells: float32 (16, 16), levels of green, less their mean.
    """

    box_xyxy_px: NDArray[np.float32]
    cells: NDArray[np.float32]

    @classmethod
    def of(cls, image_bgr: NDArray[np.uint8], box_xyxy_px: NDArray[np.float32]) -> Self:
        """Look at a box (4,) of a picture, uint8 (height, width, 3); its edge is continued."""
        left, top, right, bottom = (float(side) for side in box_xyxy_px)
        reach = _REACH / 2 * math.sqrt(max((right - left) * (bottom - top), 1.0))
        rows, columns = (
            np.clip(np.rint(middle + reach * _AT).astype(np.intp), 0, length - 1)
            for middle, length in zip(
                ((top + bottom) / 2, (left + right) / 2), image_bgr.shape[:2], strict=True
            )
        )
        green = image_bgr[rows[:, None], columns, 1].astype(np.float32)
        cells = green.reshape(_CELLS, _SAMPLES, _CELLS, _SAMPLES).mean(axis=(1, 3))
        return cls(box_xyxy_px, np.asarray(cells - cells.mean(), np.float32))

    def in_next(self, image_bgr: NDArray[np.uint8]) -> "Surroundings":
        """Look at the same box of the next picture."""
        return Surroundings.of(image_bgr, self.box_xyxy_px)

    def is_like(self, other: "Surroundings") -> bool:
        """Tell whether two looks show the same, whatever the light."""
        noise = _NOISE_LEVELS**2 * self.cells.size
        together = float(np.vdot(self.cells, other.cells))
        lengths = [float(np.vdot(look.cells, look.cells)) for look in (self, other)]
        return together + noise >= _ALIKE * (math.sqrt(lengths[0] * lengths[1]) + noise)
