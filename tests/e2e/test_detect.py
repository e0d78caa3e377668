"""``facerec detect`` as a user types it."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.e2e.conftest import Facerec


def test_one_json_object_a_picture(facerec: Facerec, pictures: dict[str, Path]) -> None:
    paths = [pictures["obama-2012"], pictures["collins"]]
    done = facerec("detect", *paths, "--json")
    assert (done.code, done.err) == (0, "")
    assert [record["image"] for record in done.records] == [str(path) for path in paths]
    face = done.records[0]["faces"][0]
    left, top, right, bottom = face["box"]
    assert 0 < left < right
    assert 0 < top < bottom
    assert face["score"] > 0.8
    assert len(face["landmarks"]) == 5
    assert all(left < x < right and top < y < bottom for x, y in face["landmarks"])
    assert set(face["quality"]) == {
        "overall", "size", "sharpness", "brightness", "contrast", "pose", "visibility",
    }  # fmt: skip
    assert face["flaws"] == []


def test_a_table_for_people(facerec: Facerec, pictures: dict[str, Path]) -> None:
    done = facerec("detect", pictures["collins"])
    assert done.code == 0
    assert "1 face(s)" in done.out
    assert "quality" in done.out


def test_a_larger_least_face_leaves_small_ones_out(
    facerec: Facerec, pictures: dict[str, Path], tmp_path: Path
) -> None:
    portrait = cv2.imread(str(pictures["collins"]))
    canvas = np.full((480, 640, 3), 90, np.uint8)
    small = cv2.resize(portrait, (160, 160), interpolation=cv2.INTER_AREA)
    canvas[100:260, 100:260] = small
    path = tmp_path / "small.png"
    cv2.imwrite(str(path), canvas)
    assert len(facerec("detect", path, "--json").record["faces"]) == 1
    assert facerec("detect", path, "--min-face", "300", "--json").record["faces"] == []


def test_drawings(facerec: Facerec, pictures: dict[str, Path], tmp_path: Path) -> None:
    done = facerec("detect", pictures["collins"], "--output", tmp_path / "drawn", "--json")
    assert done.code == 0
    (drawn,) = (tmp_path / "drawn").iterdir()
    picture, copy = cv2.imread(str(pictures["collins"])), cv2.imread(str(drawn))
    assert copy.shape == picture.shape
    left, top, right, _ = (round(value) for value in done.record["faces"][0]["box"])
    edge = copy[top, (left + right) // 2].astype(int)
    assert edge[1] > edge[0] + 40  # the box is green
    assert edge[1] > edge[2] + 40


def bomb(path: Path) -> Path:
    """A PNG of 20,000 x 20,000 pixels in a few hundred bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(999))) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def test_bad_files_are_named_and_the_others_done(
    facerec: Facerec, pictures: dict[str, Path], tmp_path: Path
) -> None:
    text, empty, cut = tmp_path / "text.jpg", tmp_path / "empty.jpg", tmp_path / "cut.jpg"
    text.write_text("this is text")
    empty.touch()
    jpeg = pictures["obama-2012"].read_bytes()
    cut.write_bytes(jpeg[: len(jpeg) // 2])
    missing = tmp_path / "missing.jpg"
    bad = [text, empty, cut, missing, bomb(tmp_path / "bomb.png"), tmp_path]
    done = facerec("detect", *bad, pictures["collins"], "--json")
    assert done.code == 1
    assert [record["image"] for record in done.records] == [str(pictures["collins"])]
    lines = done.err.strip().splitlines()
    assert len(lines) == len(bad)
    for line, path, says in zip(
        lines,
        bad,
        (
            "must be one of",
            "empty",
            "truncated",
            "no such file",
            "analysis.max_image_pixels",
            "not a",
        ),
        strict=True,
    ):
        assert str(path) in line
        assert says in line


@pytest.mark.parametrize("wrong", [["detect"], ["detect", "x.jpg", "--min-face", "2"]])
def test_wrong_usage(facerec: Facerec, wrong: list[str]) -> None:
    assert facerec(*wrong).code == 2


def test_networks_that_are_not_pulled(
    facerec: Facerec, pictures: dict[str, Path], tmp_path: Path
) -> None:
    done = facerec("detect", pictures["collins"], home=tmp_path / "bare")
    assert done.code == 1
    assert "run: facerec models pull yunet sface" in done.err
    assert not (tmp_path / "bare").exists()


def test_a_damaged_network(facerec: Facerec, pictures: dict[str, Path], own_home: Path) -> None:
    models = own_home / "models"
    source = models.resolve()
    models.unlink()
    for manifest in source.glob("*/manifest.json"):
        name = manifest.parent.name
        (models / name).mkdir(parents=True)
        for file in manifest.parent.iterdir():
            (models / name / file.name).symlink_to(file)
    network = models / "yunet" / "model.tflite"
    data = bytearray(network.read_bytes())
    network.unlink()
    data[len(data) // 2] ^= 0xFF
    network.write_bytes(data)
    done = facerec("detect", pictures["collins"])
    assert done.code == 1
    assert "yunet" in done.err
    assert len(done.err.strip().splitlines()) == 1
