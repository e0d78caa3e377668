"""Playing a source through a monitor to its end."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from facerec.video.monitor import Monitor, Observation, TrackDecision
from facerec.video.source import FrameSource

__all__ = ["WatchSummary", "watch"]


@dataclass(frozen=True)
class WatchSummary:
    """What came of watching one source.

    Attributes:
        frames: Frames that were looked at.
        dropped: Frames that came too fast to be looked at.
        decisions: Decisions that were told.
    """

    frames: int
    dropped: int
    decisions: int


def watch(
    source: FrameSource,
    monitor: Monitor,
    *,
    tell: Callable[[TrackDecision], None],
    see: Callable[[Observation], None] | None = None,
    max_frames: int | None = None,
    stopped: Callable[[], bool] | None = None,
) -> WatchSummary:
    """Look at a source until it ends, and tell each decision as soon as it is made.

    Args:
        source: An open source; the caller closes it.
        monitor: A monitor that has seen nothing else.
        tell: Called with every decision; with those of unfinished tracks at the end.
        see: Called with every frame's observation, after its decisions were told.
        max_frames: Frames to look at; None for all.
        stopped: Asked after every frame; True ends the watch as the end of the source does.

    Raises:
        SourceError: the source failed; what was seen until then has been told.
    """
    frames = decisions = 0
    try:
        for frame in islice(source, max_frames):
            observation = monitor.observe(frame)
            frames += 1
            for decision in observation.decisions:
                tell(decision)
            decisions += len(observation.decisions)
            if see is not None:
                see(observation)
            if stopped is not None and stopped():
                break
    finally:
        last = monitor.finish()
        for decision in last:
            tell(decision)
    return WatchSummary(frames, source.dropped, decisions + len(last))
