"""One picture out of a source, with the times that belong to it."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

__all__ = ["Frame"]


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame and when it was taken.

    Attributes:
        image_bgr: uint8 (height, width, 3), BGR, contiguous; nobody writes into it.
        captured: When it was taken, UTC. For a file that is played as fast as possible this is the
            opening time plus the frame's own time, so that durations are those of the film.
        index: Number of the frame in its source, from 0; numbers of dropped frames are missing.
        clock_s: Seconds since the source's first frame, on the source's own clock; never falls.
    """

    image_bgr: NDArray[np.uint8]
    captured: datetime
    index: int
    clock_s: float
