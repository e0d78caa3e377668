"""The port through which faces are followed from frame to frame."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["TrackUpdate", "Tracker"]


@dataclass(frozen=True, eq=False)
class TrackUpdate:
    """What a frame meant for the tracks.

    Attributes:
        track_ids: int64 (n,), the track of each box that was handed in, in the same order.
        ended: Tracks that ended with this frame; their numbers never come back.
    """

    track_ids: NDArray[np.int64]
    ended: tuple[int, ...]


class Tracker(Protocol):
    """Follows boxes over frames; pure arithmetic on what it is given, one instance a camera."""

    def update(self, boxes_xyxy_px: NDArray[np.float32], clock_s: float) -> TrackUpdate:
        """Say which track each box of a frame belongs to.

        Args:
            boxes_xyxy_px: float32 (n, 4): left, top, right, bottom; n may be 0.
            clock_s: The source's clock, seconds; rises from call to call, by any step.

        Returns:
            A track for every box: an old one where one fits, else a new one. Numbers rise from 1.
        """
        ...

    def split(self, track_id: int) -> int:
        """Go on with a track under a new number, which is returned: it shows somebody else now."""
        ...

    def fastest_sides_per_s(self) -> float:
        """Return the speed of the fastest face that is followed, in sides of its box a second."""
        ...

    def end_all(self) -> tuple[int, ...]:
        """End every track, at the end of a source; return their numbers, rising."""
        ...
