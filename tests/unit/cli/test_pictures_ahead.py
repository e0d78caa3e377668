import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from facerec.cli.pictures_ahead import PicturesAhead
from facerec.errors import ImageError


def picture(path: Path, grey: int) -> Path:
    assert cv2.imwrite(str(path), np.full((20, 30, 3), grey, np.uint8))
    return path


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
    opened = pictures.take(path)
    assert opened.data == path.read_bytes()
    assert opened.sha256 == hashlib.sha256(opened.data).hexdigest()
    np.testing.assert_array_equal(opened.image_bgr, np.full((20, 30, 3), 90, np.uint8))


def test_hash_and_pixels_are_of_the_same_bytes_when_a_file_is_changed(
    pictures: PicturesAhead, tmp_path: Path
) -> None:
    path = picture(tmp_path / "a.png", 90)
    pictures.begin(path)
    first = pictures.take(path)
    picture(path, 200)
    again = pictures.take(path)
    assert [int(each.image_bgr[0, 0, 0]) for each in (first, again)] == [90, 200]
    assert again.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() != first.sha256


def test_another_than_the_one_begun_may_be_taken(pictures: PicturesAhead, tmp_path: Path) -> None:
    first, other = picture(tmp_path / "a.png", 90), picture(tmp_path / "b.png", 200)
    pictures.begin(first)
    assert pictures.take(other).image_bgr[0, 0, 0] == 200
    assert pictures.take(first).image_bgr[0, 0, 0] == 90


@pytest.mark.parametrize("begun", [True, False])
def test_what_is_wrong_with_a_picture_is_told_to_who_takes_it(
    pictures: PicturesAhead, tmp_path: Path, begun: bool
) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    for path, problem in ((tmp_path / "none.jpg", "no such file"), (tmp_path / "text.jpg", None)):
        if begun:
            pictures.begin(path)
        with pytest.raises(ImageError, match=problem):
            pictures.take(path)
