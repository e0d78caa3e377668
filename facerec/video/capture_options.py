"""How long a capture may take, and how a stream is to be carried."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import Literal

__all__ = ["CaptureOptions", "rtsp_transport"]

_VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
# FFmpeg studies a stream for up to 5 s before it gives the first frame, which is then as old. The
# variable is read by whatever is opened at that moment, films too: "fflags;nobuffer", which would
# throw away what was studied, leaves them without any frame.
_LIVE = "analyzeduration;500000"


@dataclass(frozen=True)
class CaptureOptions:
    """Limits of one capture.

    Attributes:
        open_timeout_s: An address that does not answer for so long is given up; above 0.
        read_timeout_s: A stream that gives no frame for so long is given up; above 0.
        rtsp_transport: ``tcp`` loses nothing and passes firewalls; ``udp`` does not wait for lost
            packets.
    """

    open_timeout_s: float = 10.0
    read_timeout_s: float = 10.0
    rtsp_transport: Literal["tcp", "udp"] = "tcp"


class _SharedVariable:
    """An environment variable that several openings share while they need the same value.

    OpenCV takes FFmpeg's options from the environment alone, at the moment of opening. Openings
    that need the same value run side by side, so that a dead camera holds up no other; one that
    needs another value waits for them.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._users = 0
        self._value = ""
        self._changed = Condition()

    @contextmanager
    def set_to(self, value: str) -> Iterator[None]:
        """Hold the variable at `value`, unless the user has set it: that choice wins."""
        with self._changed:
            self._changed.wait_for(lambda: self._users == 0 or self._value == value)
            if self._users == 0 and self._name in os.environ:
                own = False
            else:
                own = True
                self._users += 1
                self._value = os.environ[self._name] = value
        try:
            yield
        finally:
            if own:
                self._release()

    def _release(self) -> None:
        with self._changed:
            self._users -= 1
            if self._users == 0:
                os.environ.pop(self._name, None)
            self._changed.notify_all()


_options = _SharedVariable(_VARIABLE)


@contextmanager
def rtsp_transport(spec: str, transport: str) -> Iterator[None]:
    """Open RTSP streams within this context over ``tcp`` or ``udp``; other sources as always."""
    if not spec.lower().startswith(("rtsp://", "rtsps://")):
        yield
        return
    with _options.set_to(f"rtsp_transport;{transport}|{_LIVE}"):
        yield
