"""Which frames of a film ``facerec bench serve`` sends."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from facerec.cli.bench_serve_setup import pictures_of
from facerec.errors import SourceError
from facerec.video.quiet_opencv import quiet_opencv


def film(path: Path, frames: int) -> Path:
    """A film whose frames are brighter from one to the next."""
    with quiet_opencv():  # else FFmpeg would speak in every later test of this process
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for number in range(frames):
        writer.write(np.full((48, 64, 3), 30 + 2 * number, np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize("frames", [1, 7, 8, 9, 16, 17, 33, 100])
def test_the_frames_of_a_film_are_spread_from_its_beginning_to_its_end(
    tmp_path: Path, frames: int
) -> None:
    (pictures,) = pictures_of([film(tmp_path / "gate.avi", frames)], 10**6)
    bright = [cv2.imdecode(np.frombuffer(p, np.uint8), cv2.IMREAD_COLOR).mean() for p in pictures]
    numbers = [round(each / 2) - 15 for each in bright]
    assert len(numbers) == min(frames, 8)
    assert numbers[0] <= 1
    between = np.diff([*numbers, frames])
    assert between.min() > 0
    assert between.max() <= max(3, frames / 4)


def test_a_film_without_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.avi"):
        pictures_of([film(tmp_path / "none.avi", 0)], 10**6)
