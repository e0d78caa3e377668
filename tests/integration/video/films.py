"""Films that the tests of this folder make for themselves."""

from pathlib import Path

import numpy as np

from facerec.video.video_writer import VideoWriter

SIZE_WH = (320, 240)


def marked_image(index: int) -> np.ndarray:
    """A grey picture whose brightness tells its number, far enough apart to survive coding."""
    return np.full((SIZE_WH[1], SIZE_WH[0], 3), 20 + 8 * index, np.uint8)


def index_of(image: np.ndarray) -> int:
    """The number that `marked_image` put into a picture."""
    return round((float(image.mean()) - 18) / 8)


def write_film(path: Path, frames: int, *, fps: float = 25) -> Path:
    with VideoWriter(path, fps=fps, resolution_wh=SIZE_WH) as writer:
        for index in range(frames):
            writer.write(marked_image(index))
    return path
