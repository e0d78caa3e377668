"""Pictures that are small in bytes and in pixels, and were made to keep a decoder busy or full."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from facerec.analysis.image_decoding import decode_image
from facerec.analysis.picture_bombs import MOST_SCANS, largest_tiff_tile
from facerec.errors import ImageError

LIMIT = 1_000_000
HUGE = 16_384


def progressive(kind: str = "JPEG") -> bytes:
    """A JPEG of several scans; with MPO two pictures in one file, as some cameras write them."""
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8))
    out = io.BytesIO()
    if kind == "MPO":
        picture.save(out, kind, progressive=True, save_all=True, append_images=[picture])
    else:
        picture.save(out, kind, progressive=True)
    return out.getvalue()


def of_scans(data: bytes, scans: int) -> bytes:
    """The same with its last scan as often as it takes."""
    end = data.index(b"\xff\xd9", data.rindex(b"\xff\xda")) if data.count(b"\xff\xd9") < 2 else 0
    end = end or data.index(b"\xff\xd9")
    last = data.rindex(b"\xff\xda", 0, end)
    present = data[:end].count(b"\xff\xda")
    return data[:end] + data[last:end] * (scans - present) + data[end:]


@pytest.mark.parametrize("kind", ["JPEG", "MPO"])
def test_a_jpeg_of_very_many_scans_is_refused(kind: str) -> None:
    """They take 30 bytes each, and libjpeg goes over the whole picture for each."""
    data = progressive(kind)
    assert decode_image(of_scans(data, MOST_SCANS), max_pixels=LIMIT).shape == (64, 48, 3)
    for scans in (MOST_SCANS + 1, 5_000):
        with pytest.raises(ImageError, match="more than 64 scans"):
            decode_image(of_scans(data, scans), max_pixels=LIMIT)


def test_what_only_looks_like_scans_is_not_counted() -> None:
    """In metadata, and behind the picture, where telephones put a film."""
    data = progressive()
    looks = b"\xff\xda\x00\x08" * 1000
    comment = b"\xff\xfe" + struct.pack(">H", len(looks) + 2) + looks
    for dressed in (data[:2] + comment + data[2:], data + looks):
        assert decode_image(dressed, max_pixels=LIMIT).shape == (64, 48, 3)


def test_scans_between_padding_and_restarts_are_counted() -> None:
    """A marker may begin with any number of 0xFF, and stray bytes may lie before it."""
    data = of_scans(progressive(), MOST_SCANS + 1)
    first = data.index(b"\xff\xda") + 2
    for written in (b"\xff\xff\xff\xda", b"\xff\x01\xff\xd0\x00\xff\xda"):
        strange = data[:first] + data[first:].replace(b"\xff\xda", written)
        with pytest.raises(ImageError, match="scans"):
            decode_image(strange, max_pixels=LIMIT)


def tiff(tiles: list[tuple[int, int]], order: str = "<") -> bytes:
    """A picture of 16x16 pixels whose tags of tiles are there once for each width and length."""
    pixels = zlib.compress(bytes(3 * tiles[-1][0] * tiles[-1][1])) if tiles[-1][0] < HUGE else b"x"
    entries = [(256, 16), (257, 16), (258, 8), (259, 8), (262, 2), (277, 3), (284, 1)]
    for width, length in tiles:
        entries += [(322, width), (323, length)]
    ends = 8 + 2 + 12 * (len(entries) + 2) + 4
    entries += [(324, ends), (325, len(pixels))]
    written = b"".join(
        struct.pack(order + "HHII", tag, 4, 1, value)
        for tag, value in sorted(entries, key=lambda entry: entry[0])
    )
    begin = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, 8)
    return begin + struct.pack(order + "H", len(entries)) + written + bytes(4) + pixels


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tile_that_is_larger_than_any_picture_is_refused(order: str) -> None:
    """A decoder makes room for a tile, of a gigabyte here, whatever the picture's size."""
    assert decode_image(tiff([(32, 32)], order), max_pixels=LIMIT).shape == (16, 16, 3)
    assert largest_tiff_tile(tiff([(48, 32)], order)) == 48 * 32
    with pytest.raises(ImageError, match=r"a tile of the picture has more than 1000000 pixels"):
        decode_image(tiff([(HUGE, HUGE)], order), max_pixels=LIMIT)


def test_a_tile_s_side_may_be_a_short_number() -> None:
    """As cameras write it; in the first half of its place, whatever the order of bytes."""
    for order in "<>":
        long, short = (
            struct.pack(f"{order}HHI", tag, kind, 1) for tag, kind in ((322, 4), (322, 3))
        )
        data = tiff([(48, 32)], order).replace(
            long + struct.pack(f"{order}I", 48), short + struct.pack(f"{order}HH", 48, 9)
        )
        assert largest_tiff_tile(data) == 48 * 32


def test_a_bigtiff_is_refused() -> None:
    """It is for files above 4 GB; Pillow and libtiff do not read all of them alike."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48)).save(out, "TIFF", big_tiff=True)
    with pytest.raises(ImageError, match="does not begin as a TIFF"):
        decode_image(out.getvalue(), max_pixels=LIMIT)


def test_a_tile_that_is_told_twice_counts_as_the_larger() -> None:
    """libtiff goes by the first of two equal tags, Pillow by the last."""
    for tiles in ([(HUGE, HUGE), (32, 32)], [(32, 32), (HUGE, HUGE)]):
        with pytest.raises(ImageError, match="a tile of the picture"):
            decode_image(tiff(tiles), max_pixels=LIMIT)


def test_a_picture_without_tiles_has_none() -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 48)).save(out, "TIFF", compression="tiff_lzw")
    assert largest_tiff_tile(out.getvalue()) == 0
    assert decode_image(out.getvalue(), max_pixels=LIMIT).shape == (48, 64, 3)


@pytest.mark.parametrize(
    "data", [b"", b"II", b"PNG", b"II\x2a\0\xff\xff\0\0", tiff([(32, 32)])[:40]]
)
def test_what_is_cut_off_has_no_tile_to_tell(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"as a TIFF|cut off"):
        largest_tiff_tile(data)
