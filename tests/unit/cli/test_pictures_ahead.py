import hashlib
from concurrent.futures import wait
from pathlib import Path

import cv2
import numpy as np
import pytest

from facerec.analysis.image_decoding import read_picture_file
from facerec.cli import pictures_ahead
from facerec.cli.pictures_ahead import PicturesAhead
from facerec.errors import ImageError


def picture(path: Path, grey: int) -> Path:
    assert cv2.imwrite(str(path), np.full((20, 30, 3), grey, np.uint8))
    return path


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def pictures() -> PicturesAhead:
    return PicturesAhead(max_pixels=10_000)


@pytest.mark.parametrize("begun", [True, False])
def test_a_picture_is_what_its_file_holds(
    pictures: PicturesAhead, tmp_path: Path, begun: bool
) -> None:
    path = picture(tmp_path / "a.png", 90)
    if begun:
        pictures.begin(path)
    opened = pictures.take(path, sha256_of(path))
    assert opened.data == path.read_bytes()
    assert opened.sha256 == sha256_of(path)
    np.testing.assert_array_equal(opened.image_bgr, np.full((20, 30, 3), 90, np.uint8))


def test_what_was_begun_is_not_read_again(
    pictures: PicturesAhead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = picture(tmp_path / "a.png", 90)
    read: list[Path] = []

    def noted(path: Path, *, max_pixels: int) -> bytes:
        read.append(path)
        return read_picture_file(path, max_pixels=max_pixels)

    monkeypatch.setattr(pictures_ahead, "read_picture_file", noted)
    pictures.begin(path)
    pictures.take(path, sha256_of(path))
    assert read == [path]
    pictures.begin(path)
    pictures.forget()
    pictures.take(path, sha256_of(path))
    assert len(read) in (2, 3)  # what was forgotten may have been read by then


@pytest.mark.parametrize("at_first", [b"", None])
def test_a_file_that_is_changed_after_it_was_begun_is_read_again(
    pictures: PicturesAhead, tmp_path: Path, at_first: bytes | None
) -> None:
    """It may have been half written, or have shown somebody else."""
    path = picture(tmp_path / "a.png", 90)
    if at_first is not None:
        path.write_bytes(at_first)
    pictures.begin(path)
    assert pictures._next is not None
    wait([pictures._next[1]])
    picture(path, 200)
    opened = pictures.take(path, sha256_of(path))
    assert opened.image_bgr[0, 0, 0] == 200
    assert opened.sha256 == sha256_of(path)


def test_another_than_the_one_begun_may_be_taken(pictures: PicturesAhead, tmp_path: Path) -> None:
    first, other = picture(tmp_path / "a.png", 90), picture(tmp_path / "b.png", 200)
    pictures.begin(first)
    assert pictures.take(other, sha256_of(other)).image_bgr[0, 0, 0] == 200
    assert pictures.take(first, sha256_of(first)).image_bgr[0, 0, 0] == 90


@pytest.mark.parametrize("begun", [True, False])
def test_what_is_wrong_with_a_picture_is_told_to_who_takes_it(
    pictures: PicturesAhead, tmp_path: Path, begun: bool
) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    for path, problem in ((tmp_path / "none.jpg", "no such file"), (tmp_path / "text.jpg", None)):
        if begun:
            pictures.begin(path)
        with pytest.raises(ImageError, match=problem):
            pictures.take(path, "")
