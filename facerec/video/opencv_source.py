"""Files, devices and streams through OpenCV."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.errors import SourceError
from facerec.video.capture_options import CaptureOptions, rtsp_transport
from facerec.video.frame import Frame
from facerec.video.naming import is_device, source_name
from facerec.video.quiet_opencv import quiet_opencv
from facerec.video.redaction import is_url, redact

__all__ = ["OpenCvSource"]

_USUAL_FPS = 25.0
_USUAL_OPTIONS = CaptureOptions()


class OpenCvSource:
    """A `FrameSource` that gives every frame, as fast as it is asked for."""

    def __init__(self, spec: str, options: CaptureOptions = _USUAL_OPTIONS) -> None:
        """Open the source and read its first frame, so that a bad one fails here.

        Args:
            spec: A path, a device (its number, or a path in ``/dev``) or a URL.
            options: Limits, for URLs.

        Raises:
            SourceError: there is no such file or device, it is not a video, or it has no frames.
        """
        self._address = redact(spec)
        self._name = source_name(spec)
        with ExitStack() as held:
            # Until it is closed: OpenCV has something to say of a stream that stalls, too.
            held.enter_context(quiet_opencv())
            with rtsp_transport(spec, options.rtsp_transport):
                self._capture = _open(spec, self._address, options)
            held.callback(self._capture.release)
            self._begin(spec)
            self._held = held.pop_all()

    def _begin(self, spec: str) -> None:
        """Read the first frame, and what the source says of itself."""
        self._is_film = not is_device(spec) and _is_finite(spec, self._capture)
        self._opened = datetime.now(UTC)
        self._opened_monotonic_s = monotonic()
        self._index = 0
        self._clock_s = 0.0
        self._first_clock_s: float | None = None
        first = self._read()
        if first is None:
            raise SourceError(f"{self._address} has no frames that can be read; is it complete?")
        self._pending: Frame | None = first
        fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self._fps = fps if 0 < fps <= 1000 else _USUAL_FPS

    @property
    def name(self) -> str:
        """Short name to show."""
        return self._name

    @property
    def address(self) -> str:
        """What was opened, redacted."""
        return self._address

    @property
    def resolution_wh(self) -> tuple[int, int]:
        """Width and height of the frames in pixels, as the container states them."""
        get = self._capture.get
        return int(get(cv2.CAP_PROP_FRAME_WIDTH)), int(get(cv2.CAP_PROP_FRAME_HEIGHT))

    @property
    def fps(self) -> float:
        """Frames a second that the source states; 25 when it states none that can be true."""
        return self._fps

    @property
    def codec(self) -> str:
        """Four letters that name how pictures are coded, such as ``h264``; "" where not stated."""
        number = int(self._capture.get(cv2.CAP_PROP_FOURCC))
        letters = "".join(chr((number >> shift) & 0xFF) for shift in (0, 8, 16, 24))
        return letters.strip("\0 ") if letters.isprintable() or "\0" in letters else ""

    @property
    def is_live(self) -> bool:
        """True for a device, and for a stream that states no length."""
        return not self._is_film

    @property
    def stamp_s(self) -> float:
        """The stream's own time stamp of the frame read last, seconds from any origin."""
        return float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000

    @property
    def dropped(self) -> int:
        """Always 0: this source waits for its reader."""
        return 0

    def __iter__(self) -> Iterator[Frame]:
        while True:
            frame = self._pending or self._read()
            self._pending = None
            if frame is None:
                break
            yield frame
        if self.is_live:
            raise SourceError(f"{self._address} stopped giving frames; check camera and network")

    def close(self) -> None:
        """Let go of the device, file or connection."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self) -> Frame | None:
        """Read one frame; None at the end, on a lost stream, and after `close`."""
        try:
            delivered, image = self._capture.read()
        except cv2.error as error:
            raise SourceError(f"{self._address} cannot be decoded any further") from error
        if not delivered or image is None:
            return None
        clock_s = self._frame_clock_s()
        captured = self._opened + timedelta(seconds=clock_s) if self._is_film else datetime.now(UTC)
        frame = Frame(_as_bgr(image), captured, self._index, clock_s)
        self._index += 1
        return frame

    def _frame_clock_s(self) -> float:
        """Seconds since the first frame: a film's own time stamps, else the machine's clock."""
        if not self._is_film:
            return monotonic() - self._opened_monotonic_s
        stamp_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if self._first_clock_s is None:
            self._first_clock_s = stamp_s
        clock_s = stamp_s - self._first_clock_s
        if self._index > 0 and clock_s <= self._clock_s:
            # A file without usable stamps still moves on by its frame rate.
            fps = float(self._capture.get(cv2.CAP_PROP_FPS))
            clock_s = self._clock_s + 1 / (fps if 0 < fps <= 1000 else _USUAL_FPS)
        self._clock_s = max(0.0, clock_s)
        return self._clock_s


def _open(spec: str, address: str, options: CaptureOptions) -> cv2.VideoCapture:
    """Open a capture or say in one line why not."""
    if is_url(spec):
        limits = [
            *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(options.open_timeout_s * 1000)),
            *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(options.read_timeout_s * 1000)),
        ]
        capture = cv2.VideoCapture(spec, cv2.CAP_FFMPEG, limits)
        advice = "check address, user and password, and that the camera is reachable"
    elif is_device(spec):
        number = _device_number(spec)
        capture = cv2.VideoCapture() if number is None else cv2.VideoCapture(number, cv2.CAP_ANY)
        address = f"camera {spec}"
        advice = "is it plugged in, free, and may this user read it? (ls /dev/video*)"
    else:
        _check_file(Path(spec))
        capture = cv2.VideoCapture(spec, cv2.CAP_FFMPEG)
        advice = "it is not a video that FFmpeg knows, or it is damaged"
    if not capture.isOpened():
        capture.release()
        raise SourceError(f"{address} cannot be opened: {advice}")
    return capture


def _device_number(spec: str) -> int | None:
    """Return a device's number, which is all that OpenCV opens; None for what is no camera.

    Paths such as ``/dev/v4l/by-id/...`` lead to ``/dev/videoN`` whatever socket it is plugged into.
    """
    number = spec if spec.isdecimal() else os.path.realpath(spec).removeprefix("/dev/video")
    return int(number) if number.isdecimal() else None


def _is_finite(spec: str, capture: cv2.VideoCapture) -> bool:
    """Tell whether a path or URL leads to a film with an end; a stream states no frame count."""
    return not is_url(spec) or capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0


def _check_file(path: Path) -> None:
    """Say plainly what is wrong with a path before FFmpeg says it obscurely."""
    if not path.exists():
        raise SourceError(f"{path} does not exist; name a video file, a device number or a URL")
    if path.is_dir():
        raise SourceError(f"{path} is a folder; name one video file")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path} may not be read by this user")
    if path.is_file() and path.stat().st_size == 0:
        raise SourceError(f"{path} is empty")


def _as_bgr(image: object) -> NDArray[np.uint8]:
    """Give a grey or four-channel frame the three channels that all else expects."""
    array = np.asarray(image, np.uint8)
    if array.ndim == 2 or array.shape[2] == 1:
        return np.asarray(cv2.cvtColor(array, cv2.COLOR_GRAY2BGR), np.uint8)
    if array.shape[2] == 4:
        return np.ascontiguousarray(array[:, :, :3])
    return array
