"""Keeping OpenCV and FFmpeg from writing to stderr in their own words."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from cv2.utils import logging

__all__ = ["quiet_opencv"]


class _Silence:
    """OpenCV's one log level, silenced while anybody in the process asks for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._level = logging.LOG_LEVEL_WARNING

    def begin(self) -> None:
        with self._lock:
            if self._users == 0:
                self._level = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
            self._users += 1

    def end(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                logging.setLogLevel(self._level)


_silence = _Silence()


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Open and read in silence: what goes wrong is told by our own errors, without credentials.

    FFmpeg's level is read once, when a process first opens a film through OpenCV, and stays; the
    user's own choice of it wins. OpenCV's level is put back when the last of those who read, in
    whatever thread, is done.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    _silence.begin()
    try:
        yield
    finally:
        _silence.end()
