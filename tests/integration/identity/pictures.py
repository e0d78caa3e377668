"""Pictures for the tests of the server: real portraits, and the faulty files of every kind."""

import io
import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image


def decoded(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def encoded(image_bgr: NDArray[np.generic], suffix: str = ".jpg") -> bytes:
    done, data = cv2.imencode(suffix, image_bgr)
    assert done
    return data.tobytes()


def of_height(image_bgr: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    width = round(image_bgr.shape[1] * height / image_bgr.shape[0])
    return np.asarray(cv2.resize(image_bgr, (width, height), interpolation=cv2.INTER_AREA))


def side_by_side(*pictures: bytes) -> bytes:
    return encoded(np.hstack([of_height(decoded(picture), 480) for picture in pictures]))


def nobody() -> bytes:
    """A landscape of soft noise."""
    noise = np.random.default_rng(5).integers(0, 255, (48, 64, 3), np.uint8)
    return encoded(cv2.resize(noise, (640, 480), interpolation=cv2.INTER_CUBIC))


def cmyk(picture: bytes) -> bytes:
    return _by_pillow(Image.open(io.BytesIO(picture)).convert("CMYK"), "JPEG")


def sixteen_bit(picture: bytes) -> bytes:
    return encoded(decoded(picture).astype(np.uint16) * 257, ".png")


def transparent(picture: bytes) -> bytes:
    image = Image.open(io.BytesIO(picture)).convert("RGBA")
    image.putalpha(230)
    return _by_pillow(image, "PNG")


def exif_rotated(picture: bytes) -> bytes:
    """The picture lying on its side, with the tag that says so."""
    image = Image.open(io.BytesIO(picture)).convert("RGB").transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise to show
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, quality=92)
    return out.getvalue()


def huge_header() -> bytes:
    """A PNG of a few bytes whose header claims 20,000 x 20,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def endless_scans() -> bytes:
    """A JPEG of 16 megapixels that tells a decoder 2,000 times to go over all of them."""
    data = _by_pillow(Image.new("L", (4000, 4000), 128), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + 2000 * scan + data[-2:]


def slow_to_analyse(picture: bytes) -> bytes:
    """The portrait on a very large canvas: few bytes, tens of millions of pixels."""
    canvas = np.full((3000, 4000, 3), 90, np.uint8)
    face = of_height(decoded(picture), 1200)
    canvas[1000 : 1000 + face.shape[0], 1000 : 1000 + face.shape[1]] = face
    return encoded(canvas)


def _by_pillow(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
