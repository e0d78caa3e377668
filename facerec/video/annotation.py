"""Drawing what the monitor knows onto a copy of a frame."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.decision.decision import Decision, Outcome
from facerec.video.lettering import Colour, draw_label, label_height
from facerec.video.monitor import Observation, TrackView

__all__ = ["annotate", "colour_of", "words_of"]

# BGR; chosen apart in lightness as well as hue, so that they are told apart by everybody
# (Okabe and Ito's palette: bluish green, vermilion, sky blue).
_IDENTIFIED: Colour = (115, 158, 0)
_STRANGER: Colour = (0, 94, 213)
_OPEN: Colour = (233, 180, 86)
_WHITE: Colour = (255, 255, 255)
_DARK: Colour = (30, 30, 30)


@dataclass(frozen=True)
class _Look:
    """How a track is shown: colour of box and background, colour of text, two lines of text."""

    colour: Colour
    ink: Colour
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
    corner = round(10 * scale), round(10 * scale)
    draw_label(image, stamp, corner, scale=0.5 * scale, background=_DARK, ink=_WHITE)
    return image


def colour_of(outcome: Outcome) -> Colour:
    """Return the colour in which an outcome is shown."""
    return {Outcome.IDENTIFIED: _IDENTIFIED, Outcome.UNKNOWN: _STRANGER}.get(outcome, _OPEN)


def words_of(track: TrackView) -> tuple[str, str]:
    """Return what is written over and under a face: who it is, and the state of the evidence."""
    look = _look(track)
    return look.heading, look.detail


def _draw_track(image: NDArray[np.uint8], track: TrackView, scale: float) -> None:
    look = _look(track)
    left, top, right, bottom = (round(float(side)) for side in track.box_xyxy_px)
    line = max(2, round(2.5 * scale))
    cv2.rectangle(image, (left, top), (right, bottom), look.colour, line, cv2.LINE_AA)
    heading, detail = 0.75 * scale, 0.5 * scale
    above = top - label_height(look.heading, heading, heading=True) - line
    draw_label(
        image,
        look.heading,
        (left - line // 2, above),
        scale=heading,
        background=look.colour,
        ink=look.ink,
        heading=True,
    )
    below = left - line // 2, bottom + line
    draw_label(image, look.detail, below, scale=detail, background=_DARK, ink=_WHITE)


def _look(track: TrackView) -> _Look:
    """Choose colour and words for a track's state."""
    verdict = track.evidence.verdict
    number = f"#{track.track_id}"
    if verdict is not None and track.in_doubt:
        return _Look(_OPEN, _DARK, "looking ...", f"{number}  still the same?")
    if verdict is None:
        return _Look(_OPEN, _DARK, "looking ...", f"{number}  {_state(track)}")
    outcome = verdict.decision.outcome
    if track.evidence.window is not None:  # told, and looked at again
        return _Look(_OPEN, _DARK, outcome.value, f"{number}  {_state(track)}")
    detail = f"{number}  {_against(verdict.decision)}  after {verdict.latency_s:.2f} s"
    if outcome is Outcome.IDENTIFIED:
        return _Look(_IDENTIFIED, _WHITE, track.name or "identified", detail)
    colour = colour_of(outcome)
    return _Look(colour, _DARK if colour == _OPEN else _WHITE, outcome.value, detail)


def _state(track: TrackView) -> str:
    """Say in a few words how far an open decision is."""
    looks, latest = track.evidence.frames, track.evidence.latest
    if not looks or latest is None:
        return track.flaws[0].value.replace("_", " ") if track.flaws else "0 looks"
    return f"{_against(latest)}  {looks} look{'' if looks == 1 else 's'}"


def _against(decision: Decision) -> str:
    """Return the similarity, and the threshold that it is held against."""
    similarity = "-" if decision.similarity is None else f"{decision.similarity:.2f}"
    return f"{similarity} / {decision.threshold:.2f}"


def _scale(image: NDArray[np.uint8]) -> float:
    """Size of drawings: 1 on a picture 720 pixels high."""
    return max(0.6, float(image.shape[0]) / 720)
