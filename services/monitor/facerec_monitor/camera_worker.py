"""One camera that is watched in a thread of its own, whatever happens to it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Lock, Thread

from facerec.errors import FaceRecError
from facerec.video.camera_health import CameraHealth, CameraState
from facerec.video.monitor import Monitor
from facerec.video.observation import Observation, TrackDecision
from facerec.video.source import FrameSource
from facerec.video.source_health import health_of
from facerec.video.watching import watch
from facerec_monitor.camera_source import open_camera
from facerec_monitor.configuration import CameraSettings

__all__ = ["CameraStatus", "CameraWorker"]

_log = logging.getLogger("facerec_monitor")

_AGAIN_AFTER_S = 5.0
"""Wait after a fault that connecting again does not mend, such as a gallery that was deleted."""
_NEVER_OPENED = CameraHealth(CameraState.CONNECTING, None, 0, 0, 0, 0, None, "")


@dataclass(frozen=True)
class CameraStatus:
    """How one camera is doing.

    Attributes:
        name: Of the camera.
        gate: Gate that it guards; "" for none.
        health: State of its pictures, and counts since the worker began.
        looked_at: Frames that were looked at.
        searched: Of these, frames that were searched for faces.
        people: Faces in view now.
        behind_s: From a frame's capture until it had been looked at, of the last one, seconds.
        resolution_wh: Of its pictures, pixels; 0 before the first.
        fault: Why it is not watched at the moment; "" when it is.
    """

    name: str
    gate: str
    health: CameraHealth
    looked_at: int
    searched: int
    people: int
    behind_s: float | None
    resolution_wh: tuple[int, int]
    fault: str


class CameraWorker:
    """Reads and watches a camera from `start` until `stop`; a fault of it stops no other."""

    def __init__(
        self,
        name: str,
        settings: CameraSettings,
        make_monitor: Callable[[], Monitor],
        tell: Callable[[TrackDecision], None],
        *,
        open_source: Callable[[CameraSettings], FrameSource] = open_camera,
    ) -> None:
        """Do nothing yet.

        Args:
            name: Of the camera.
            settings: Of the camera.
            make_monitor: Makes a monitor that has seen nothing.
            tell: Called with every decision, by this camera's thread.
            open_source: Opens the camera.
        """
        self.name = name
        self.settings = settings
        self._make_monitor = make_monitor
        self._tell = tell
        self._open_source = open_source
        self._stop = Event()
        self._lock = Lock()
        self._source: FrameSource | None = None
        self._looked_at = self._searched = self._people = 0
        self._behind_s: float | None = None
        self._ended = False
        self._fault = ""
        self._thread = Thread(target=self._run, name=f"watch {name}", daemon=True)

    def start(self) -> None:
        """Begin, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End the watch; decisions about unfinished tracks are told before this returns."""
        self._stop.set()
        with self._lock:
            source = self._source
        if source is not None:
            source.close()
        self._thread.join()

    @property
    def status(self) -> CameraStatus:
        """State and counts now."""
        with self._lock:
            source, looked_at = self._source, self._looked_at
        health = _NEVER_OPENED if source is None else health_of(source, looked_at)
        if self._ended:
            state = CameraState.ENDED
            health = CameraHealth(state, None, health.frames, health.dropped, 0, 1, None, "")
        wh = (0, 0) if source is None else source.resolution_wh
        return CameraStatus(
            self.name,
            self.settings.gate,
            health,
            looked_at,
            self._searched,
            self._people,
            self._behind_s,
            wh,
            self._fault,
        )

    def _run(self) -> None:
        """Watch until stopped, or until a film is over."""
        while not self._stop.is_set():
            try:
                if self._watch():
                    break
            except FaceRecError as error:
                self._fault = str(error)
                _log.warning("camera %s: %s", self.name, error)
            except Exception:
                self._fault = "an unexpected fault; see the log"
                _log.exception("camera %s: an unexpected fault", self.name)
            self._people = 0
            self._stop.wait(_AGAIN_AFTER_S)

    def _watch(self) -> bool:
        """Watch once; return whether a film came to its end."""
        with self._open_source(self.settings) as source:
            with self._lock:
                self._source = source
            if self._stop.is_set():
                return False  # who asked could not close what was still being opened
            monitor = self._make_monitor()
            watch(source, monitor, tell=self._tell, see=self._see, stopped=self._stop.is_set)
            self._ended = not source.is_live and not self._stop.is_set()
            return self._ended

    def _see(self, observation: Observation) -> None:
        self._fault = ""
        self._people = len(observation.tracks)
        self._behind_s = (datetime.now(UTC) - observation.frame.captured).total_seconds()
        with self._lock:
            self._looked_at += 1
        self._searched += observation.searched
