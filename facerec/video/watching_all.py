"""Watching several sources at once, none of which can stop another."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Event, Lock

from facerec.errors import FaceRecError
from facerec.video.monitor import Monitor, Observation, TrackDecision
from facerec.video.source import FrameSource
from facerec.video.watching import WatchSummary, watch

__all__ = ["WatchOutcome", "WatchedCamera", "watch_all"]

_LOOK_AT_STOP_EVERY_S = 0.1


@dataclass(frozen=True)
class WatchedCamera:
    """One source that is watched.

    Attributes:
        name: Name of the camera.
        source: Open; the caller closes it in the end.
        monitor: Its own, that has seen nothing yet.
        see: Called with each observation; None for nobody.
    """

    name: str
    source: FrameSource
    monitor: Monitor
    see: Callable[[Observation], None] | None = None


@dataclass(frozen=True)
class WatchOutcome:
    """How the watch of one source ended: with a summary, or with an error."""

    camera: WatchedCamera
    summary: WatchSummary | None
    error: FaceRecError | None


def watch_all(
    cameras: Sequence[WatchedCamera],
    *,
    tell: Callable[[TrackDecision], None],
    ended: Callable[[WatchOutcome], None],
    stop: Event,
    max_frames: int | None = None,
) -> tuple[WatchOutcome, ...]:
    """Watch each source in a thread of its own until all are over.

    Args:
        cameras: One or more.
        tell: Called with every decision, by one thread at a time.
        ended: Called at once when a source is over or failed, by one thread at a time; the others
            go on.
        stop: Set it to end all; a camera that gives no frames is closed then.
        max_frames: Frames to look at in each source; None for all.
    """
    look = _Look(tell, ended, stop, max_frames)
    with ThreadPoolExecutor(len(cameras), thread_name_prefix="watch") as pool:
        running = [pool.submit(look, camera) for camera in cameras]
        _until_over(running, cameras, stop)
    return tuple(future.result() for future in running)


@dataclass(frozen=True)
class _Look:
    """Watches a source to its end; what it tells, one thread at a time is let through."""

    tell: Callable[[TrackDecision], None]
    ended: Callable[[WatchOutcome], None]
    stop: Event
    max_frames: int | None
    telling: Lock = field(default_factory=Lock)

    def __call__(self, camera: WatchedCamera) -> WatchOutcome:
        try:
            summary = watch(
                camera.source,
                camera.monitor,
                tell=self._tell_alone,
                see=camera.see,
                max_frames=self.max_frames,
                stopped=self.stop.is_set,
            )
            outcome = WatchOutcome(camera, summary, None)
        except FaceRecError as error:
            outcome = WatchOutcome(camera, None, error)
        with self.telling:
            self.ended(outcome)
        return outcome

    def _tell_alone(self, decision: TrackDecision) -> None:
        with self.telling:
            self.tell(decision)


def _until_over(
    running: Sequence[Future[WatchOutcome]], cameras: Sequence[WatchedCamera], stop: Event
) -> None:
    """Wait; once stopped, send home whoever waits for a frame that may never come."""
    pending = set(running)
    while pending and not stop.is_set():
        done, pending = wait(pending, timeout=_LOOK_AT_STOP_EVERY_S)
        if any(future.exception() is not None for future in done):
            stop.set()  # a fault of the program, not of a camera
    live = [camera.source for camera in cameras if camera.source.is_live]
    if stop.is_set() and live:
        # Side by side: a camera that gives no frames takes seconds to let go.
        with ThreadPoolExecutor(len(live), thread_name_prefix="close") as pool:
            list(pool.map(lambda source: source.close(), live))
