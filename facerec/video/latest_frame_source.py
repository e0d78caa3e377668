"""Real-time reading: a slow reader sees the newest frame, never a queue of old ones."""

from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Condition, Event, Thread
from time import monotonic
from types import TracebackType
from typing import Self

from facerec.errors import FaceRecError, SourceError
from facerec.video.frame import Frame
from facerec.video.source import FrameSource

__all__ = ["LatestFrameSource"]

_THREAD_ENDS_WITHIN_S = 12.0


class LatestFrameSource:
    """Reads another source in a thread of its own and keeps only its newest frame.

    A film is paced by its own clock, so that it plays as a camera would; a camera paces itself.
    """

    def __init__(self, source: FrameSource) -> None:
        """Take over `source` and begin to read it when the first frame is asked for."""
        self._source = source
        self._slot: Frame | None = None
        self._ended = False
        self._failure: FaceRecError | None = None
        self._dropped = 0
        self._changed = Condition()
        self._stop = Event()
        self._thread = Thread(target=self._pump, name=f"read {source.name}", daemon=True)

    @property
    def name(self) -> str:
        """Short name to show."""
        return self._source.name

    @property
    def address(self) -> str:
        """What was opened, redacted."""
        return self._source.address

    @property
    def resolution_wh(self) -> tuple[int, int]:
        """Width and height of the frames in pixels."""
        return self._source.resolution_wh

    @property
    def fps(self) -> float:
        """Frames a second that the source states."""
        return self._source.fps

    @property
    def is_live(self) -> bool:
        """True for a camera or stream, False for a film that is played in real time."""
        return self._source.is_live

    @property
    def dropped(self) -> int:
        """Frames that were overwritten before they were read."""
        return self._dropped

    def __iter__(self) -> Iterator[Frame]:
        if not self._thread.is_alive() and not self._ended:
            self._thread.start()
        while (frame := self._take()) is not None:
            yield frame

    def close(self) -> None:
        """Stop reading and let go of the source."""
        self._stop.set()
        self._end()  # a reader that waits in another thread goes home
        if self._thread.is_alive():
            self._thread.join(_THREAD_ENDS_WITHIN_S)
        if not self._thread.is_alive():
            # A capture that another thread still blocks in may not be released under its feet.
            self._source.close()

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
        """Wait for a frame that has not been taken; None at the end.

        Raises:
            SourceError: the source failed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._slot is not None or self._ended)
            frame, self._slot = self._slot, None
            if frame is None and self._failure is not None:
                raise self._failure
            return frame

    def _pump(self) -> None:
        """Read to the end, into the slot."""
        try:
            began_s = monotonic()
            for frame in self._source:
                if self._stop.is_set() or not self._await_due(frame, began_s):
                    break
                self._put(frame)
        except FaceRecError as error:
            self._failure = error
        except Exception as error:
            self._failure = SourceError(f"{self._source.address} cannot be read any further")
            self._failure.__cause__ = error
        finally:
            self._end()

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _await_due(self, frame: Frame, began_s: float) -> bool:
        """Hold a film's frame until its time has come; False when the reader has left."""
        if self._source.is_live:
            return True
        return not self._stop.wait(max(0.0, began_s + frame.clock_s - monotonic()))

    def _put(self, frame: Frame) -> None:
        if not self._source.is_live:
            frame = Frame(frame.image_bgr, datetime.now(UTC), frame.index, frame.clock_s)
        with self._changed:
            if self._slot is not None:
                self._dropped += 1
            self._slot = frame
            self._changed.notify_all()
