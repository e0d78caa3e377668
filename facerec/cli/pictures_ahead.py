"""Reading the picture that comes next while another one is analysed."""

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.image_decoding import decode_image, read_picture_file

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
    """Reads pictures, and one ahead of who takes them: there is never more than one in memory.

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
        self._next = (path, self._thread.submit(self._opened, path))

    def take(self, path: Path) -> OpenedPicture:
        """Return a picture, whether or not it was begun.

        Raises:
            ImageError: it cannot be read or decoded.
        """
        begun, self._next = self._next, None
        if begun is not None and begun[0] == path:
            return begun[1].result()
        return self._opened(path)

    def _opened(self, path: Path) -> OpenedPicture:
        data = read_picture_file(path, max_pixels=self._max_pixels)
        image = decode_image(data, max_pixels=self._max_pixels)
        return OpenedPicture(data, image, hashlib.sha256(data).hexdigest())
