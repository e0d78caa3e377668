from pathlib import Path

import numpy as np
import pytest

from facerec.errors import SourceError
from facerec.video import open_source
from facerec.video.video_writer import VideoWriter
from tests.integration.video.films import SIZE_WH, index_of, marked_image, write_film


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".avi", ".MP4"])
def test_what_is_written_is_read_again(tmp_path: Path, ending: str) -> None:
    path = write_film(tmp_path / "made" / "here" / f"film{ending}", 10, fps=12.5)
    assert list(path.parent.iterdir()) == [path]
    with open_source(str(path)) as source:
        assert source.fps == pytest.approx(12.5)
        assert [index_of(frame.image_bgr) for frame in source] == list(range(10))


def test_the_film_appears_whole_and_replaces_an_old_one_only_then(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"old")
    with VideoWriter(path, fps=25, resolution_wh=SIZE_WH) as writer:
        writer.write(marked_image(1))
        assert path.read_bytes() == b"old"
    with open_source(str(path)) as source:
        assert len(list(source)) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_film_of_no_frames_leaves_nothing(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "film.mp4", fps=25, resolution_wh=SIZE_WH):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_frame_of_another_size_is_scaled(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with VideoWriter(path, fps=25, resolution_wh=SIZE_WH) as writer:
        writer.write(np.full((99, 51, 3), 100, np.uint8))
    with open_source(str(path)) as source:
        assert [f.image_bgr.shape for f in source] == [(SIZE_WH[1], SIZE_WH[0], 3)]


@pytest.mark.parametrize("name", ["film", "film.gif", "film.txt"])
def test_an_ending_that_is_no_film_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match=r"use one of \.mp4"):
        VideoWriter(tmp_path / name, fps=25, resolution_wh=SIZE_WH)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot make the folder"):
        VideoWriter(tmp_path / "file" / "film.mp4", fps=25, resolution_wh=SIZE_WH)
