"""The part of a picture in which one stands at a gate. Pure."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from facerec.errors import SettingsError

__all__ = ["Zone"]

_LEAST_AREA = 1e-4
"""Share of the picture under which a zone is a slip of the pen: a square of 1 % of its sides."""


@dataclass(frozen=True)
class Zone:
    """A simple polygon over the picture.

    Attributes:
        corners: Three or more points (x, y) in shares of the picture's width and height, 0..1, so
            that a camera of another resolution needs no other zone.

    Raises:
        SettingsError: fewer than three corners, one outside the picture, no area, or sides that
            cross each other.
    """

    corners: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if len(self.corners) < 3:
            raise SettingsError(
                f"a zone needs three corners or more; received {len(self.corners)}: write "
                "[[x, y], [x, y], [x, y]] in shares of the picture, 0 to 1"
            )
        if not all(0 <= share <= 1 for corner in self.corners for share in corner):
            raise SettingsError(
                "the corners of a zone are shares of the picture's width and height, 0 to 1: "
                "divide pixels by the camera's resolution"
            )
        if self._crosses_itself():
            raise SettingsError("the sides of a zone cross each other; name its corners in order")
        if self.area < _LEAST_AREA:
            raise SettingsError(
                "a zone has no size: nobody can stand in it; move its corners apart or leave it out"
            )

    @property
    def area(self) -> float:
        """Share of the picture that the zone takes, 0..1 (Gauss's shoelace formula)."""
        x, y = np.array(self.corners).T
        return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)

    def contains(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which points (n, 2), in shares of width and height, lie inside: bool (n,).

        Even-odd rule: a ray to the right crosses the sides an odd number of times. Of two zones
        that share a side, a point on it lies in one.
        """
        x, y = points[:, :1], points[:, 1:]
        x1, y1 = np.array(self.corners, np.float64).T
        x2, y2 = np.roll(x1, -1), np.roll(y1, -1)
        spans = (y1 > y) != (y2 > y)
        rise = np.where(y2 == y1, 1.0, y2 - y1)
        crossings = spans & (x < x1 + (y - y1) / rise * (x2 - x1))
        return np.asarray(crossings.sum(axis=1) % 2 == 1)

    def _crosses_itself(self) -> bool:
        ends = (*self.corners[1:], self.corners[0])
        sides = list(zip(self.corners, ends, strict=True))
        return any(_cross(*a, *b) for a, b in combinations(sides, 2) if not set(a) & set(b))


_Point = tuple[float, float]


def _cross(a: _Point, b: _Point, c: _Point, d: _Point) -> bool:
    """Tell whether the segments ab and cd cross inside both."""

    def turn(p: _Point, q: _Point, r: _Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0
