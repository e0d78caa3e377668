"""Reading the picture that comes next while another one is analysed."""

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.image_decoding import decode_image, read_picture_file
from facerec.errors import ImageError

__all__ = ["OpenedPicture", "PicturesAhead"]


@dataclass(frozen=True, eq=False)
class OpenedPicture:
    """A picture that was read.

    Attributes:
        data: The bytes of its file.
        image_bgr: uint8 (height, width, 3), decoded from them.
        sha256: Of these very bytes: the file may be changed at any time.
    """

    data: bytes = field(repr=False)
    image_bgr: NDArray[np.uint8] = field(repr=False)
    sha256: str


class PicturesAhead:
    """Reads pictures, and one ahead of who takes them, in a thread of its own.

    To read and decode a picture is a twentieth of its analysis, which leaves one of two processors
    idle a quarter of its time.
    """

    def __init__(self, max_pixels: int) -> None:
        """Read pictures of at most so many pixels."""
        self._max_pixels = max_pixels
        self._thread = ThreadPoolExecutor(1, "picture reading")
        self._next: tuple[Path, Future[OpenedPicture]] | None = None

    def begin(self, path: Path) -> None:
        """Begin to read a picture that will be taken next; another one begun is forgotten."""
        self.forget()
        self._next = (path, self._thread.submit(self._opened, path))

    def forget(self) -> None:
        """Keep nothing of a picture that was begun."""
        begun, self._next = self._next, None
        if begun is not None:
            begun[1].cancel()

    def take(self, path: Path, sha256: str) -> OpenedPicture:
        """Return a picture, whether or not it was begun.

        Args:
            path: Its file.
            sha256: Of what the file held a moment ago: what was read ahead and is something else
                is not returned, but what the file holds now.

        Raises:
            ImageError: it cannot be read or decoded.
        """
        begun, self._next = self._next, None
        if begun is not None and begun[0] == path:
            try:
                opened = begun[1].result()
            except ImageError:  # it may have been half written then
                return self._opened(path)
            if opened.sha256 == sha256:
                return opened
        return self._opened(path)

    def _opened(self, path: Path) -> OpenedPicture:
        data = read_picture_file(path, max_pixels=self._max_pixels)
        image = decode_image(data, max_pixels=self._max_pixels)
        return OpenedPicture(data, image, hashlib.sha256(data).hexdigest())
