"""Every kind of picture that a user may hand in, and every kind of damage."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from facerec.analysis.image_decoding import decode_image, read_image
from facerec.errors import ImageError

LIMIT = 1_000_000

# Four flat quarters: red, green / blue, white, in RGB; larger than JPEG's blocks.
QUARTERS = np.zeros((48, 64, 3), np.uint8)
QUARTERS[:24, :32, 0] = 255
QUARTERS[:24, 32:, 1] = 255
QUARTERS[24:, :32, 2] = 255
QUARTERS[24:, 32:] = 255


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def picture(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(QUARTERS).convert(mode)


def centres(bgr: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The four quarters' middles as RGB."""
    h, w = bgr.shape[:2]
    rows, columns = [h // 4, h // 4, 3 * h // 4, 3 * h // 4], [w // 4, 3 * w // 4] * 2
    return bgr[rows, columns, ::-1].astype(np.int64)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_colours_come_out_as_bgr(kind: str) -> None:
    bgr = decode_image(encoded(picture(), kind), max_pixels=LIMIT)
    assert bgr.dtype == np.uint8
    assert bgr.shape == (48, 64, 3)
    assert bgr.flags.c_contiguous
    np.testing.assert_allclose(centres(bgr), centres(QUARTERS[..., ::-1]), atol=6)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("P", "PNG"), ("RGBA", "PNG"), ("CMYK", "JPEG"), ("CMYK", "TIFF"), ("RGBA", "WEBP")],
)
def test_other_modes_show_the_same_colours(mode: str, kind: str) -> None:
    bgr = decode_image(encoded(picture(mode), kind), max_pixels=LIMIT)
    np.testing.assert_allclose(centres(bgr), centres(QUARTERS[..., ::-1]), atol=8)


@pytest.mark.parametrize(("mode", "kind"), [("L", "JPEG"), ("L", "PNG"), ("LA", "PNG")])
def test_grey_becomes_three_equal_channels(mode: str, kind: str) -> None:
    bgr = decode_image(encoded(picture(mode), kind), max_pixels=LIMIT)
    grey = np.asarray(picture("L"))
    assert np.ptp(bgr, axis=2).max() == 0
    np.testing.assert_allclose(bgr[12, 16], grey[12, 16], atol=2)


def test_black_and_white_bits() -> None:
    bits = Image.fromarray((QUARTERS[..., 0] > 0).astype(np.uint8) * 255).convert("1")
    bgr = decode_image(encoded(bits, "PNG"), max_pixels=LIMIT)
    assert np.array_equal(bgr[..., 0], np.asarray(bits).astype(np.uint8) * 255)


def test_16_bit_grey_is_scaled_not_cut_off() -> None:
    grey = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    ok, data = cv2.imencode(".png", grey)
    assert ok
    bgr = decode_image(data.tobytes(), max_pixels=LIMIT)
    expected = np.round(grey / 257.0)
    assert np.abs(bgr[..., 0] - expected).max() == 0
    assert np.ptp(bgr, axis=2).max() == 0


def test_16_bit_colour_is_scaled() -> None:
    rgb = np.repeat(np.repeat(QUARTERS.astype(np.uint16) * 257, 1, axis=0), 1, axis=1)
    ok, data = cv2.imencode(".png", rgb[..., ::-1])
    assert ok
    bgr = decode_image(data.tobytes(), max_pixels=LIMIT)
    np.testing.assert_array_equal(bgr, QUARTERS[..., ::-1])


def test_transparent_pixels_show_white() -> None:
    rgba = np.zeros((20, 20, 4), np.uint8)
    rgba[:, :10] = (200, 0, 0, 255)
    rgba[:, 10:] = (0, 0, 255, 0)  # hidden blue
    rgba[0, 0] = (0, 0, 0, 128)
    bgr = decode_image(encoded(Image.fromarray(rgba), "PNG"), max_pixels=LIMIT)
    assert bgr[5, 2].tolist() == [0, 0, 200]
    assert bgr[5, 17].tolist() == [255, 255, 255]
    assert abs(int(bgr[0, 0, 0]) - 127) <= 1


@pytest.mark.parametrize("mode", ["P", "RGB"])
def test_a_transparent_colour_shows_white(mode: str) -> None:
    image = Image.new(mode, (16, 16), 1 if mode == "P" else (9, 9, 9))
    if mode == "P":
        image.putpalette([0, 0, 0, 9, 9, 9])
    data = encoded(image, "PNG", transparency=1 if mode == "P" else (9, 9, 9))
    assert decode_image(data, max_pixels=LIMIT).min() == 255


# What each orientation means, from the EXIF standard: where row 0 and column 0 of the stored
# pixels belong. Stored from upright, so that decoding must undo it.
STORED: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_exif_orientation_is_undone(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](QUARTERS)))
    bgr = decode_image(encoded(stored, kind, exif=exif.tobytes()), max_pixels=LIMIT)
    assert bgr.shape == (48, 64, 3)
    np.testing.assert_allclose(centres(bgr), centres(QUARTERS[..., ::-1]), atol=6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_equals_pillow(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(picture(), "PNG", exif=exif.tobytes())
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(
        decode_image(data, max_pixels=LIMIT), np.asarray(upright)[..., ::-1]
    )


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_unknown_orientation_leaves_the_picture(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    bgr = decode_image(encoded(picture(), "PNG", exif=exif.tobytes()), max_pixels=LIMIT)
    np.testing.assert_array_equal(bgr, QUARTERS[..., ::-1])


def test_damaged_metadata_does_not_cost_the_pixels() -> None:
    data = encoded(picture(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff garbage")
    assert decode_image(data, max_pixels=LIMIT).shape == (48, 64, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (15, 16), (16, 15)])
def test_a_picture_too_small_for_a_face_is_refused(size: tuple[int, int]) -> None:
    data = encoded(Image.new("RGB", size, (10, 20, 30)), "PNG")
    with pytest.raises(ImageError, match=f"{size[0]}x{size[1]} pixels is too small.*16x16"):
        decode_image(data, max_pixels=LIMIT)


def test_the_smallest_picture_that_is_taken() -> None:
    data = encoded(Image.new("RGB", (16, 16), (10, 20, 30)), "PNG")
    assert decode_image(data, max_pixels=LIMIT)[7, 9].tolist() == [30, 20, 10]


def test_of_an_animation_the_first_picture_is_taken() -> None:
    second = Image.new("RGB", (64, 48), (1, 2, 3))
    data = encoded(picture(), "WEBP", save_all=True, append_images=[second], lossless=True)
    np.testing.assert_array_equal(decode_image(data, max_pixels=LIMIT), QUARTERS[..., ::-1])


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds hardly any data: a decompression bomb's beginning."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [1001, 9_500, 12_000, 20_000])
def test_too_many_pixels_are_refused_before_decoding(side: int) -> None:
    with pytest.raises(ImageError, match=r"more than 1000000 pixels; shrink it"):
        decode_image(png_header(side, side), max_pixels=LIMIT)


def test_the_limit_itself_is_allowed() -> None:
    data = encoded(picture(), "PNG")
    assert decode_image(data, max_pixels=48 * 64).shape == (48, 64, 3)
    with pytest.raises(ImageError, match="64x48"):
        decode_image(data, max_pixels=48 * 64 - 1)


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.95])
def test_truncated_pictures_are_refused(
    kind: str, share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    data = encoded(noise(), kind)
    with pytest.raises(ImageError) as caught:
        decode_image(data[: int(len(data) * share)], max_pixels=LIMIT)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_damage_anywhere_gives_a_picture_or_a_stated_refusal(
    kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    data = encoded(noise(), kind)
    rng = np.random.default_rng(1)
    for _ in range(60):
        damaged = bytearray(data)
        for place in rng.integers(0, min(len(data), 400), 4):
            damaged[place] = int(rng.integers(0, 256))
        try:
            bgr = decode_image(bytes(damaged), max_pixels=LIMIT)
        except ImageError as error:
            assert "\n" not in str(error)
        else:
            assert bgr.ndim == 3
            assert bgr.dtype == np.uint8
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"this is no picture", "must be one of JPEG, PNG, WEBP, BMP, TIFF"),
        (b"\xff\xd8\xff", "picture"),
        (b"GIF89a" + bytes(50), "must be one of"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "must be one of"),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(ImageError, match=says):
        decode_image(data, max_pixels=LIMIT)


def test_floating_point_pixels_are_refused() -> None:
    data = encoded(Image.fromarray(np.ones((16, 16), np.float32)), "TIFF")
    with pytest.raises(ImageError, match="floating-point"):
        decode_image(data, max_pixels=LIMIT)


def test_32_bit_pixels_beyond_16_bits_are_refused() -> None:
    data = encoded(Image.fromarray(np.full((16, 16), 70000, np.int32)), "TIFF")
    with pytest.raises(ImageError, match="32-bit"):
        decode_image(data, max_pixels=LIMIT)


def test_reading_names_the_file(tmp_path: Path) -> None:
    good, text, empty = tmp_path / "a b.png", tmp_path / "text.jpg", tmp_path / "empty.jpg"
    good.write_bytes(encoded(picture(), "PNG"))
    text.write_text("not a picture")
    empty.touch()
    np.testing.assert_array_equal(read_image(good, max_pixels=LIMIT), QUARTERS[..., ::-1])
    for path, says in (
        (text, "must be one of"),
        (empty, "empty"),
        (tmp_path / "none.jpg", "no such file"),
        (tmp_path, "not a file"),
    ):
        with pytest.raises(ImageError, match=says) as caught:
            read_image(path, max_pixels=LIMIT)
        assert str(caught.value).startswith(f"{path}: ")


def test_a_file_too_large_for_any_allowed_picture_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(2**24 + 8 * 100 + 1)
    with pytest.raises(ImageError, match="too large"):
        read_image(path, max_pixels=100)
