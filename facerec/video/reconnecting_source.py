"""A camera that comes back: connected again for ever, fresh frames only, its state always known."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from threading import Condition, Event, Thread
from time import monotonic
from types import TracebackType
from typing import Self

from facerec.errors import SourceError
from facerec.video.backoff import Backoff
from facerec.video.camera_health import CameraHealth, CameraState, PictureFault
from facerec.video.capture_options import CaptureOptions
from facerec.video.frame import Frame
from facerec.video.naming import source_name
from facerec.video.opencv_source import OpenCvSource
from facerec.video.picture_check import PictureCheck
from facerec.video.redaction import redact
from facerec.video.stream_lag import StreamLag

__all__ = ["ReconnectRules", "ReconnectingSource"]


@dataclass(frozen=True)
class ReconnectRules:
    """When a camera counts as stalled or lost, and how it is reached again.

    Attributes:
        capture: Limits of one connection. Shorter than a person's patience at a gate: a stream
            that is silent for longer is opened anew.
        backoff: Waits between attempts.
        stalled_after_s: A connection without a frame for so long is stalled.
        max_age_s: Older frames are never handed out, seconds.
    """

    capture: CaptureOptions = field(default_factory=lambda: CaptureOptions(3.0, 2.5))
    backoff: Backoff = field(default_factory=Backoff)
    stalled_after_s: float = 1.0
    max_age_s: float = 0.8


class ReconnectingSource:
    """A `FrameSource` of a live camera that never ends by itself.

    A thread of its own connects, reads and connects again; whoever iterates gets the newest frame,
    once. The clock runs on while the camera is away, so that tracks end by themselves.
    """

    def __init__(self, spec: str, rules: ReconnectRules, first: OpenCvSource | None = None) -> None:
        """Begin at once, in the background.

        Args:
            spec: A URL or a device number.
            rules: Time limits.
            first: An open connection to begin with; None to make one.
        """
        self._spec = spec
        self._rules = rules
        # Stamps of MJPEG over HTTP are made up by the reader; a device's are its arrival.
        self._is_stamped = spec.lower().startswith("rtsp")
        self._chance = Random()
        self._began_s = monotonic()
        self._changed = Condition()
        self._slot: tuple[Frame, float] | None = None
        self._resolution_wh = first.resolution_wh if first is not None else (0, 0)
        self._fps = first.fps if first is not None else 25.0
        self._stop = Event()
        self._delivered_s: float | None = None
        self._health = CameraHealth(CameraState.CONNECTING, None, 0, 0, 0, 0, None, "")
        name = f"camera {source_name(spec)}"
        self._thread = Thread(target=self._run, args=(first,), name=name, daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """Short name to show."""
        return source_name(self._spec)

    @property
    def address(self) -> str:
        """What is read, redacted."""
        return redact(self._spec)

    @property
    def resolution_wh(self) -> tuple[int, int]:
        """Width and height of the latest connection's frames in pixels; 0 before the first."""
        return self._resolution_wh

    @property
    def fps(self) -> float:
        """Frames a second that the latest connection states."""
        return self._fps

    @property
    def is_live(self) -> bool:
        """Always true."""
        return True

    @property
    def dropped(self) -> int:
        """Frames that were delivered and never taken."""
        return self._health.dropped + self._health.stale

    @property
    def health(self) -> CameraHealth:
        """State and counts now."""
        with self._changed:
            health, delivered_s = self._health, self._delivered_s
        if delivered_s is None:
            return health
        age_s = monotonic() - delivered_s
        state = health.state
        if state is CameraState.LIVE and age_s > self._rules.stalled_after_s:
            state = CameraState.STALLED
        return replace(health, state=state, last_frame_age_s=age_s)

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self._take()) is not None:
            yield frame

    def close(self) -> None:
        """Stop reading; whoever waits for a frame goes home at once."""
        self._stop.set()
        with self._changed:
            self._health = replace(self._health, state=CameraState.ENDED)
            self._changed.notify_all()
        # The thread lets go of its capture itself: one may not be released under another's feet.
        self._thread.join(self._rules.capture.read_timeout_s + 1.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take(self) -> Frame | None:
        """Wait for a frame that is fresh and was not taken; None once closed."""
        with self._changed:
            while not self._stop.is_set():
                taken, self._slot = self._slot, None
                if taken is None:
                    self._changed.wait()
                elif monotonic() - taken[1] <= self._rules.max_age_s:
                    return taken[0]
                else:
                    self._health = replace(self._health, stale=self._health.stale + 1)
            return None

    def _run(self, first: OpenCvSource | None) -> None:
        """Connect and read until closed."""
        failures = 0
        connection = first
        while not self._stop.is_set():
            before = self._health.frames
            try:
                connection = connection or OpenCvSource(self._spec, self._rules.capture)
                with connection:
                    self._read(connection)
                trouble = f"{self.address} ended"
            except SourceError as error:
                trouble = str(error)
            connection = None
            failures = 1 if self._health.frames > before else failures + 1
            self._lose(trouble)
            self._stop.wait(self._rules.backoff.wait_s(failures, self._chance))

    def _lose(self, trouble: str) -> None:
        with self._changed:
            if self._stop.is_set():
                return
            reached = self._health.connections > 0
            state = CameraState.LOST if reached else CameraState.CONNECTING
            self._health = replace(self._health, state=state, fault=None, trouble=trouble)

    def _read(self, connection: OpenCvSource) -> None:
        """Read one connection to its end, into the slot."""
        check, lag = PictureCheck(), StreamLag(self._rules.max_age_s)
        self._resolution_wh, self._fps = connection.resolution_wh, connection.fps
        with self._changed:
            connections = self._health.connections + 1
            self._health = replace(self._health, connections=connections)
        for frame in connection:
            if self._stop.is_set():
                return
            now_s = monotonic()
            fresh = not self._is_stamped or lag.is_fresh(now_s, connection.stamp_s)
            self._put(frame, now_s, fresh, check.judge(frame.image_bgr, now_s))

    def _put(self, frame: Frame, now_s: float, fresh: bool, fault: PictureFault | None) -> None:
        with self._changed:
            if self._stop.is_set():
                return
            old = self._health
            dropped = old.dropped + (1 if fresh and self._slot is not None else 0)
            self._health = replace(
                old,
                state=CameraState.LIVE,
                fault=fault,
                frames=old.frames + 1,
                dropped=dropped,
                stale=old.stale + (0 if fresh else 1),
            )
            self._delivered_s = now_s
            if fresh:
                clock_s = now_s - self._began_s
                shown = Frame(frame.image_bgr, datetime.now(UTC), old.frames, clock_s)
                self._slot = (shown, now_s)
                self._changed.notify_all()
