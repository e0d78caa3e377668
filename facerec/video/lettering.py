"""Writing text into pictures."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Colour", "draw_label", "draw_text", "label_height", "text_size"]

Colour = tuple[int, int, int]
"""Blue, green, red, 0..255."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_OF_HEADINGS = cv2.FONT_HERSHEY_DUPLEX


def text_size(text: str, scale: float, *, heading: bool = False) -> tuple[int, int, int]:
    """Return width, height above and height below the baseline of a line of text, pixels."""
    font = _FONT_OF_HEADINGS if heading else _FONT
    (width, height), below = cv2.getTextSize(text, font, scale, _thickness(scale))
    return int(width), int(height), int(below)


def draw_text(
    image: NDArray[np.uint8],
    text: str,
    baseline: tuple[int, int],
    *,
    scale: float,
    ink: Colour,
    heading: bool = False,
) -> None:
    """Write one line into the picture.

    Args:
        image: uint8 (height, width, 3), BGR; written to.
        text: One line.
        baseline: Left end of the line that the letters stand on, pixels.
        scale: Size of the text; 1 gives capitals of about 20 px.
        ink: Colour.
        heading: Write in the heavier face.
    """
    font = _FONT_OF_HEADINGS if heading else _FONT
    cv2.putText(image, text, baseline, font, scale, ink, _thickness(scale), cv2.LINE_AA)


def draw_label(
    image: NDArray[np.uint8],
    text: str,
    left_top: tuple[int, int],
    *,
    scale: float,
    background: Colour,
    ink: Colour,
    heading: bool = False,
) -> None:
    """Write one line on a background of its own, moved so that it lies inside the picture.

    Args:
        image: uint8 (height, width, 3), BGR; written to.
        text: One line.
        left_top: Where the background's corner should lie, pixels.
        scale: As for `draw_text`.
        background: Colour behind the text.
        ink: Colour of the text.
        heading: Write in the heavier face.
    """
    width, height, below = text_size(text, scale, heading=heading)
    pad = _padding(scale)
    left = max(0, min(left_top[0], image.shape[1] - width - 2 * pad))
    top = max(0, min(left_top[1], image.shape[0] - height - below - 2 * pad))
    corner = left + width + 2 * pad, top + height + below + 2 * pad
    cv2.rectangle(image, (left, top), corner, background, cv2.FILLED)
    at = left + pad, top + pad + height
    draw_text(image, text, at, scale=scale, ink=ink, heading=heading)


def label_height(text: str, scale: float, *, heading: bool = False) -> int:
    """Return the height of a label's background, pixels."""
    _, height, below = text_size(text, scale, heading=heading)
    return height + below + 2 * _padding(scale)


def _padding(scale: float) -> int:
    """Return the room around a label's text, pixels."""
    return max(3, round(7 * scale))


def _thickness(scale: float) -> int:
    return max(1, round(1.2 * scale))
