"""Keeping OpenCV and FFmpeg from writing to stderr in their own words."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from cv2.utils import logging

__all__ = ["quiet_opencv"]


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Open and read in silence: what goes wrong is told by our own errors, without credentials.

    FFmpeg's level is read once, when a process first opens a film through OpenCV, and stays; the
    user's own choice of it wins. OpenCV's level is put back at the end.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    level = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(level)
