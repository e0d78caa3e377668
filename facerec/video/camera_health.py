"""How a camera is doing."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CameraHealth", "CameraState", "PictureFault"]


class CameraState(StrEnum):
    """Whether a camera gives pictures."""

    CONNECTING = "connecting"
    """Never reached so far."""
    LIVE = "live"
    """Frames arrive."""
    STALLED = "stalled"
    """The connection stands, and no frame arrives."""
    LOST = "lost"
    """The connection broke, or could not be made again; it is tried for ever."""
    ENDED = "ended"
    """A film that is over, or a source that was closed."""


class PictureFault(StrEnum):
    """What is wrong with pictures that do arrive."""

    FROZEN = "frozen"
    """The same picture again and again, to the last bit."""
    GREEN = "green"
    """A decoder's colour for data that never came."""
    BLANK = "blank"
    """One colour all over: a covered lens, no signal."""


@dataclass(frozen=True)
class CameraHealth:
    """A camera's state and counts since it was first asked for.

    Attributes:
        state: Whether it gives pictures.
        fault: What is wrong with those it gives; None when nothing is.
        frames: Frames that it delivered.
        dropped: Of these, frames that nobody took before the next one came.
        stale: Of these, frames that were too old to be looked at.
        connections: How often it was reached.
        last_frame_age_s: Seconds since the last frame; None before the first.
        trouble: Why the last connection broke or failed, without credentials; "" when none did.
    """

    state: CameraState
    fault: PictureFault | None
    frames: int
    dropped: int
    stale: int
    connections: int
    last_frame_age_s: float | None
    trouble: str
