"""A page of pictures that tells what happened."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.demo.key_frames import KeyFrame
from facerec.video.annotation import colour_of
from facerec.video.lettering import Colour, draw_text, text_size

__all__ = ["Portrait", "contact_sheet"]

_COLUMNS = 3
_FRAME_WIDTH_PX = 540
_PORTRAIT_PX = 150
_MARGIN_PX = 28
_CAPTION_PX = 74
_TITLE_PX = 66
_STRIPE_PX = 6

# BGR
_PAGE: Colour = (250, 248, 246)
_CARD: Colour = (255, 255, 255)
_EDGE: Colour = (222, 216, 210)
_INK: Colour = (48, 38, 30)
_SOFT_INK: Colour = (122, 110, 100)
_QUIET: Colour = (190, 180, 170)


@dataclass(frozen=True, eq=False)
class Portrait:
    """One person at the head of the page.

    Attributes:
        image_bgr: uint8 (height, width, 3), any size; its middle is shown as a square.
        name: Who it is.
        lines: What is known of the person; short.
    """

    image_bgr: NDArray[np.uint8]
    name: str
    lines: tuple[str, ...]


def contact_sheet(
    title: str, portraits: Sequence[Portrait], frames: Sequence[KeyFrame]
) -> NDArray[np.uint8]:
    """Lay people and key frames out on a page.

    Args:
        title: Headline.
        portraits: Up to three people, shown in a row.
        frames: In order of time; all of one size.

    Returns:
        uint8 (height, width, 3), BGR.
    """
    width = _COLUMNS * _FRAME_WIDTH_PX + (_COLUMNS + 1) * _MARGIN_PX
    rows = [_headline(title, width)]
    if portraits:
        rows.append(_row([_portrait_card(portrait) for portrait in portraits], width))
    cards = [_frame_card(frame) for frame in frames]
    for start in range(0, len(cards), _COLUMNS):
        rows.append(_row(cards[start : start + _COLUMNS], width))
    return np.concatenate(rows)


def _headline(title: str, width: int) -> NDArray[np.uint8]:
    row = _blank(_TITLE_PX, width, _PAGE)
    draw_text(row, title, (_MARGIN_PX, 46), scale=0.95, ink=_INK, heading=True)
    return row


def _row(cards: Sequence[NDArray[np.uint8]], width: int) -> NDArray[np.uint8]:
    """Put cards of one height beside each other."""
    height = max(card.shape[0] for card in cards)
    row = _blank(height + _MARGIN_PX, width, _PAGE)
    for column, card in enumerate(cards):
        left = _MARGIN_PX + column * (_FRAME_WIDTH_PX + _MARGIN_PX)
        row[: card.shape[0], left : left + card.shape[1]] = card
    return row


def _portrait_card(portrait: Portrait) -> NDArray[np.uint8]:
    card = _blank(_PORTRAIT_PX, _FRAME_WIDTH_PX, _CARD)
    card[:, :_PORTRAIT_PX] = _square(portrait.image_bgr, _PORTRAIT_PX)
    left = _PORTRAIT_PX + 22
    draw_text(card, portrait.name, (left, 40), scale=0.72, ink=_INK, heading=True)
    for number, line in enumerate(portrait.lines):
        draw_text(card, line, (left, 74 + 27 * number), scale=0.52, ink=_SOFT_INK)
    _frame_edges(card)
    return card


def _frame_card(frame: KeyFrame) -> NDArray[np.uint8]:
    height = round(_FRAME_WIDTH_PX * frame.image_bgr.shape[0] / frame.image_bgr.shape[1])
    card = _blank(height + _CAPTION_PX, _FRAME_WIDTH_PX, _CARD)
    size = _FRAME_WIDTH_PX, height
    card[:height] = cv2.resize(frame.image_bgr, size, interpolation=cv2.INTER_AREA)
    stripe = _QUIET if frame.outcome is None else colour_of(frame.outcome)
    card[height : height + _STRIPE_PX] = stripe
    baseline = height + 36
    draw_text(card, frame.title, (16, baseline), scale=0.62, ink=_INK, heading=True)
    time = f"{frame.clock_s:.2f} s"
    right = _FRAME_WIDTH_PX - 16 - text_size(time, 0.52)[0]
    draw_text(card, time, (right, baseline), scale=0.52, ink=_SOFT_INK)
    draw_text(card, frame.detail, (16, baseline + 25), scale=0.47, ink=_SOFT_INK)
    _frame_edges(card)
    return card


def _frame_edges(card: NDArray[np.uint8]) -> None:
    cv2.rectangle(card, (0, 0), (card.shape[1] - 1, card.shape[0] - 1), _EDGE, 1)


def _square(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Scale the largest square in the middle of a picture."""
    height, width = image.shape[:2]
    cut = min(height, width)
    top, left = (height - cut) // 2, (width - cut) // 2
    middle = image[top : top + cut, left : left + cut]
    return np.asarray(cv2.resize(middle, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _blank(height: int, width: int, colour: Colour) -> NDArray[np.uint8]:
    return np.full((height, width, 3), colour, np.uint8)
