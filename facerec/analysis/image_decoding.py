"""From the bytes of a picture to upright pixels."""

import io
import threading
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from facerec.analysis.picture_bombs import (
    MOST_SCANS,
    jpeg_has_too_many_scans,
    largest_tiff_tile,
)
from facerec.errors import ImageError

__all__ = ["decode_image", "read_image", "read_picture_file"]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")

MOST_BYTES_A_PIXEL = 8
"""Four 16-bit channels, uncompressed: the most that a picture of these formats needs."""

LEAST_SIDE_PX = 16
"""A picture with a shorter side shows no face that can be told from another: detectors find few
faces of under 20 pixels even when they are enlarged."""

HEADER_BYTES = 2**24
"""For what a file may hold beside pixels: colour profiles, previews, metadata."""

WHITE = 255
"""What shows through transparent pixels: what most viewers show, so the face is looked for in what
the person who sent the picture saw."""

ORIENTATION_TAG = 0x0112

# `warnings` keeps its filters for the whole process, so only one thread may change them at a time.
_warnings_lock = threading.Lock()


def read_image(path: Path, *, max_pixels: int) -> NDArray[np.uint8]:
    """Read a picture from a file.

    Args:
        path: File of a JPEG, PNG, WebP, BMP or TIFF.
        max_pixels: Pictures of more pixels are refused before they are decoded.

    Returns:
        uint8 (height, width, 3) BGR, upright.

    Raises:
        ImageError: there is no such file, it cannot be read, or `decode_image` refuses it; the
            message names the file.
    """
    data = read_picture_file(path, max_pixels=max_pixels)
    try:
        return decode_image(data, max_pixels=max_pixels)
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error


def read_picture_file(path: Path, *, max_pixels: int) -> bytes:
    """Return the bytes of a file that may hold a picture; no larger file is read.

    Raises:
        ImageError: there is no such file, it is larger than any picture of `max_pixels`, or it
            cannot be read; the message names the file.
    """
    try:
        if not path.is_file():
            problem = "it is not a file" if path.exists() else "there is no such file"
            raise ImageError(f"{path}: {problem}; check the path")
        if path.stat().st_size > max_pixels * MOST_BYTES_A_PIXEL + HEADER_BYTES:
            raise ImageError(f"{path}: too large for a picture of at most {max_pixels} pixels")
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror or error}") from error


def decode_image(data: bytes, *, max_pixels: int) -> NDArray[np.uint8]:
    """Decode a picture.

    The EXIF orientation is applied, 16-bit grey is scaled to 8 bits, transparent pixels are laid
    on white; of an animation or a multi-page file the first picture is taken.

    Args:
        data: A JPEG, PNG, WebP, BMP or TIFF.
        max_pixels: Pictures of more pixels are refused before they are decoded.

    Returns:
        uint8 (height, width, 3) BGR, upright.

    Raises:
        ImageError: not such a picture, too large, too small to show a face, truncated, damaged,
            of a pixel type without a range (floating point), or made to take much more to decode
            than its size tells (`facerec.analysis.picture_bombs`).
    """
    if not data:
        raise ImageError("the picture is empty (0 bytes); copy or take it again")
    image, orientation = _open(data, max_pixels)
    try:
        pixels = _bgr(image)
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged data.
        raise ImageError(_damaged(error)) from error
    return _upright(pixels, orientation)


def _open(data: bytes, max_pixels: int) -> tuple[Image.Image, int]:
    """Read the header: the picture, not yet decoded, and its EXIF orientation."""
    with _warnings_lock, warnings.catch_warnings():
        # Pillow warns of sizes, which are judged here, and of harmless faults of metadata.
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except UnidentifiedImageError as error:
            raise ImageError(
                f"not a picture that can be read; it must be one of {', '.join(FORMATS)}"
            ) from error
        except Image.DecompressionBombError as error:
            raise ImageError(_too_large("the picture", max_pixels)) from error
        except Exception as error:
            raise ImageError(_damaged(error)) from error
        if min(image.size) < LEAST_SIDE_PX:
            raise ImageError(
                f"the picture of {image.width}x{image.height} pixels is too small to show a face; "
                f"give one of at least {LEAST_SIDE_PX}x{LEAST_SIDE_PX}"
            )
        if image.width * image.height > max_pixels:
            raise ImageError(_too_large(f"the picture of {image.width}x{image.height}", max_pixels))
        _refuse_bombs(data, image.format or "", max_pixels)
        return image, _orientation(image)


def _refuse_bombs(data: bytes, kind: str, max_pixels: int) -> None:
    """Refuse a picture that would take more than its size tells.

    Raises:
        ImageError: it would.
    """
    if kind in ("JPEG", "MPO") and jpeg_has_too_many_scans(data):
        raise ImageError(
            f"the picture has more than {MOST_SCANS} scans, which no camera writes; save it anew "
            "with a picture editor"
        )
    if kind == "TIFF":
        try:
            tile = largest_tiff_tile(data)
        except ValueError as error:
            raise ImageError(_damaged(error)) from error
        if tile > max_pixels:
            raise ImageError(_too_large("a tile of the picture", max_pixels))


def _damaged(error: Exception) -> str:
    return (
        f"the picture is truncated or damaged ({_one_line(error)}); copy it again, or save it anew "
        "with a picture editor"
    )


def _too_large(what: str, max_pixels: int) -> str:
    return (
        f"{what} has more than {max_pixels} pixels; "
        "shrink it, or raise the setting analysis.max_image_pixels"
    )


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except Exception:  # Damaged metadata is no reason to refuse the pixels.
        return 1


def _bgr(image: Image.Image) -> NDArray[np.uint8]:
    """Decode to 8-bit BGR whatever the picture's pixels are."""
    if image.mode == "F":
        raise ImageError("floating-point pixels have no known range; save the picture with 8 bits")
    if image.mode.startswith("I"):
        return _from_16_bit(np.asarray(image))
    if image.has_transparency_data:
        image = _on_white(image.convert("RGBA"))
    rgb = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)


def _from_16_bit(grey: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
    """Scale 0..65535 to 0..255, rounded; Pillow would cut values off at 255."""
    if grey.min() < 0 or grey.max() > 65535:
        raise ImageError("32-bit pixels have no known range; save the picture with 8 bits")
    # In one array of the smallest type that holds 65535 * 255: pictures may be large.
    values = grey.astype(np.uint32)
    values *= 255
    values += 32767
    values //= 65535
    return np.repeat(values.astype(np.uint8)[:, :, None], 3, axis=2)


def _on_white(rgba: Image.Image) -> Image.Image:
    background = Image.new("RGBA", rgba.size, (WHITE, WHITE, WHITE, 255))
    return Image.alpha_composite(background, rgba)


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo the rotation and mirroring that EXIF tag 0x0112 (orientation, 1..8) states."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
