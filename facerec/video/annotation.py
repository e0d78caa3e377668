"""Drawing what the monitor knows onto a copy of a frame."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.decision.decision import Outcome
from facerec.video.monitor import Observation, TrackView

__all__ = ["annotate", "draw_label", "text_size"]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_OF_HEADINGS = cv2.FONT_HERSHEY_DUPLEX

# BGR; chosen apart in lightness as well as hue, so that they are told apart by everybody
# (Okabe and Ito's palette: bluish green, vermilion, sky blue).
_IDENTIFIED = (115, 158, 0)
_STRANGER = (0, 94, 213)
_OPEN = (233, 180, 86)
_INK = (255, 255, 255)
_DARK_INK = (30, 30, 30)


@dataclass(frozen=True)
class _Look:
    """How a track is shown: colour of box and background, colour of text, two lines of text."""

    colour: tuple[int, int, int]
    ink: tuple[int, int, int]
    heading: str
    detail: str


def annotate(observation: Observation, *, camera: str) -> NDArray[np.uint8]:
    """Return a copy of the frame with a box, a name and the state of each face.

    Args:
        observation: What the monitor saw.
        camera: Name to show in the corner.

    Returns:
        uint8 (height, width, 3), BGR.
    """
    image = observation.frame.image_bgr.copy()
    scale = _scale(image)
    for track in observation.tracks:
        _draw_track(image, track, scale)
    stamp = f"{camera}   {observation.frame.clock_s:6.2f} s"
    draw_label(image, stamp, (int(10 * scale), int(10 * scale)), scale=0.5 * scale)
    return image


def draw_label(
    image: NDArray[np.uint8],
    text: str,
    left_top: tuple[int, int],
    *,
    scale: float,
    colour: tuple[int, int, int] = _DARK_INK,
    ink: tuple[int, int, int] = _INK,
    heading: bool = False,
) -> tuple[int, int]:
    """Write text on its own background, moved so that it lies inside the image.

    Args:
        image: uint8 (height, width, 3), BGR; written to.
        text: One line.
        left_top: Where the background's corner should lie, pixels.
        scale: Size of the text; 1 gives capitals of about 20 px.
        colour: Background, BGR.
        ink: Text, BGR.
        heading: Write in the heavier face.

    Returns:
        Right and bottom end of the background, pixels.
    """
    width, height, below = text_size(text, scale, heading=heading)
    pad = max(3, round(7 * scale))
    full = width + 2 * pad, height + below + 2 * pad
    left = max(0, min(left_top[0], image.shape[1] - full[0]))
    top = max(0, min(left_top[1], image.shape[0] - full[1]))
    corner = left + full[0], top + full[1]
    cv2.rectangle(image, (left, top), corner, colour, cv2.FILLED)
    font = _FONT_OF_HEADINGS if heading else _FONT
    baseline = left + pad, top + pad + height
    cv2.putText(image, text, baseline, font, scale, ink, _thickness(scale), cv2.LINE_AA)
    return corner


def text_size(text: str, scale: float, *, heading: bool = False) -> tuple[int, int, int]:
    """Return width, height above and height below the baseline of a line of text, pixels."""
    font = _FONT_OF_HEADINGS if heading else _FONT
    (width, height), below = cv2.getTextSize(text, font, scale, _thickness(scale))
    return int(width), int(height), int(below)


def _draw_track(image: NDArray[np.uint8], track: TrackView, scale: float) -> None:
    look = _look(track)
    left, top, right, bottom = (round(float(side)) for side in track.box_xyxy_px)
    thickness = max(2, round(2.5 * scale))
    cv2.rectangle(image, (left, top), (right, bottom), look.colour, thickness, cv2.LINE_AA)
    heading, detail = 0.75 * scale, 0.5 * scale
    _, tall, below = text_size(look.heading, heading, heading=True)
    label_top = top - tall - below - round(14 * heading) - thickness
    draw_label(
        image,
        look.heading,
        (left - thickness // 2, label_top),
        scale=heading,
        colour=look.colour,
        ink=look.ink,
        heading=True,
    )
    draw_label(image, look.detail, (left - thickness // 2, bottom + thickness), scale=detail)


def _look(track: TrackView) -> _Look:
    """Choose colour and words for a track's state."""
    verdict = track.evidence.verdict
    number = f"#{track.track_id}"
    if verdict is None or track.evidence.window is not None:
        heading = "unknown" if verdict is not None else "looking ..."
        seen = f"{track.evidence.frames} frames" if track.evidence.frames else "no usable frame"
        return _Look(_OPEN, _DARK_INK, heading, f"{number}  {seen}")
    found = f"{verdict.decision.similarity:.2f}" if verdict.decision.similarity is not None else "-"
    against = f"{found} / {verdict.decision.threshold:.2f}"
    detail = f"{number}  {against}  after {verdict.latency_s:.2f} s"
    if verdict.decision.outcome is Outcome.IDENTIFIED:
        return _Look(_IDENTIFIED, _INK, track.name or "identified", detail)
    return _Look(_STRANGER, _INK, "unknown", detail)


def _scale(image: NDArray[np.uint8]) -> float:
    """Size of drawings: 1 on a picture 720 pixels high."""
    return max(0.6, float(image.shape[0]) / 720)


def _thickness(scale: float) -> int:
    return max(1, round(1.2 * scale))
