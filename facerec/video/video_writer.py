"""Writing a film file."""

from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.errors import SourceError
from facerec.video.quiet_opencv import quiet_opencv

__all__ = ["VideoWriter"]

# What the wheels of OpenCV can encode: no H.264. MPEG-4 part 2 plays in VLC, mpv, QuickTime and
# Windows' player, and costs 1.3 ms a 640x480 frame where VP9, which browsers play, costs 130 ms.
_CODECS = {".mp4": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}


class VideoWriter:
    """Writes BGR frames of one size to a film; the file appears whole under its name at the end."""

    def __init__(self, path: Path, *, fps: float, resolution_wh: tuple[int, int]) -> None:
        """Begin a film.

        Args:
            path: Where the film is to lie; ``.mp4``, ``.mkv`` or ``.avi``. Missing
                folders are made; a file there is replaced at the end.
            fps: Frames a second, above 0.
            resolution_wh: Width and height of every frame in pixels.

        Raises:
            SourceError: the ending is not known, or nothing can be written there.
        """
        codec = _CODECS.get(path.suffix.lower())
        if codec is None:
            known = ", ".join(_CODECS)
            raise SourceError(f"cannot write a video named {path.name}; use one of {known}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SourceError(f"cannot make the folder of {path}: {error.strerror}") from error
        self._path = path
        self._partial = path.with_name(f".{path.stem}.partial{path.suffix}")
        self._resolution_wh = resolution_wh
        self._frames = 0
        fourcc = cv2.VideoWriter.fourcc(*codec)
        with quiet_opencv():
            self._writer = cv2.VideoWriter(
                str(self._partial), cv2.CAP_FFMPEG, fourcc, fps, resolution_wh
            )
        if not self._writer.isOpened():
            self._partial.unlink(missing_ok=True)
            raise SourceError(f"cannot write {path}; is the folder writable and the disk not full?")

    def write(self, image_bgr: NDArray[np.uint8]) -> None:
        """Append a frame; one of another size is scaled to the film's.

        Args:
            image_bgr: uint8 (height, width, 3).
        """
        height, width = image_bgr.shape[:2]
        if (width, height) != self._resolution_wh:
            image_bgr = np.asarray(cv2.resize(image_bgr, self._resolution_wh), np.uint8)
        self._writer.write(image_bgr)
        self._frames += 1

    def close(self) -> None:
        """End the film and give it its name; a film of no frames leaves no file."""
        if not self._writer.isOpened():
            return
        self._writer.release()
        if self._frames:
            self._partial.replace(self._path)
        else:
            self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
