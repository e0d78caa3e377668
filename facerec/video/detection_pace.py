"""How often a camera's frames must be searched for faces. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["DetectionPace"]

_TICK_S = 1e-3
_MAY_MOVE = 0.35
"""Part of its side by which a face may move between two searches; under half of what the tracker
pairs (0.8), as its prediction may be wrong by as much again."""

_LARGE_PX = 48
"""Faces from here on are found in a picture half as large, at a third of the cost (YuNet, which
finds them from 24 pixels on). Who is recognised surely is larger: 60 pixels and more."""
_GROWS_SMALLER = 0.8
"""A followed face may be smaller by this factor at the next search; it must still be found."""


@dataclass(frozen=True)
class DetectionPace:
    """Longest times between two searches, seconds; 0 to search every frame.

    Attributes:
        idle_s: While nobody is there; adds to the time in which a newcomer is noticed.
        decided_s: While all who are there have been decided about.
        undecided_s: While a decision is open: just over a frame at 30 a second, so that every
            second one is searched; looks lie further apart than that anyway.
        small_s: Between two searches for small faces, while only large ones are followed; adds to
            the time in which a newcomer far away is noticed.
    """

    idle_s: float = 0.1
    decided_s: float = 0.15
    undecided_s: float = 0.035
    small_s: float = 0.5

    def interval_s(self, *, followed: int, undecided: int, fastest_sides_per_s: float) -> float:
        """Return the seconds until the next search.

        Args:
            followed: Faces that are followed now.
            undecided: Of these, those that are not decided about.
            fastest_sides_per_s: Speed of the fastest of them, in sides of its own box.
        """
        if not followed:
            return self.idle_s
        longest_s = self.undecided_s if undecided else self.decided_s
        return min(longest_s, _MAY_MOVE / max(fastest_sides_per_s, 1e-6))

    def least_px(self, sides_px: Sequence[float], *, since_small_s: float) -> int:
        """Return from which size on faces must be searched for; 0 for the smallest there are.

        Args:
            sides_px: Shorter side of each face that is followed now, pixels.
            since_small_s: Seconds since the last search for small faces.
        """
        if not sides_px or since_small_s >= self.small_s - _TICK_S:
            return 0
        return _LARGE_PX if min(sides_px) * _GROWS_SMALLER >= _LARGE_PX else 0
