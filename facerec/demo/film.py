"""Rendering the demo's film from cut-out people and the hall."""

from collections.abc import Iterator, Mapping
from math import cos, radians, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.demo.choreography import ACTORS, DURATION_S, FPS, Pose, defocus_px, light
from facerec.demo.cutout import Cutout
from facerec.demo.stage import (
    GATE_TOP_PX,
    HEIGHT_PX,
    HORIZON_PX,
    WIDTH_PX,
    draw_gate,
    draw_hall,
)

__all__ = ["render"]

_SHUTTER_S = 1 / 60
_NOISE_SIGMA = 2.5
"""Noise of a cheap camera in good light, in grey levels."""
_SEED = 1


def render(people: Mapping[str, Cutout]) -> Iterator[NDArray[np.uint8]]:
    """Yield the film's frames, uint8 (HEIGHT_PX, WIDTH_PX, 3), BGR; always the same ones.

    Args:
        people: Cut-out person of each key of `ACTORS`.
    """
    hall = draw_hall()
    gate = draw_gate()
    noise = np.random.default_rng(_SEED)
    grain = noise.normal(0, _NOISE_SIGMA, (HEIGHT_PX, WIDTH_PX, 1)).astype(np.float32)
    for index in range(round(DURATION_S * FPS)):
        time_s = index / FPS
        image = hall.copy()
        present = [(pose, actor) for actor in ACTORS if (pose := actor.pose(time_s)) is not None]
        for pose, actor in sorted(present, key=lambda entry: entry[0].face_height_px):
            _place(image, people[actor.picture], pose, actor.gain)
        image[GATE_TOP_PX:] = gate
        if (blur := defocus_px(time_s)) > 0.1:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), blur), np.float32)
        image *= light(time_s)
        image += np.roll(grain, tuple(noise.integers(0, HEIGHT_PX, 2)), axis=(0, 1))
        yield np.clip(image, 0, 255).astype(np.uint8)


def _place(image: NDArray[np.float32], person: Cutout, pose: Pose, gain: float) -> None:
    """Put a person into the picture."""
    scale = pose.face_height_px / person.face_height_px
    angle = radians(pose.tilt_deg)
    along, across = scale * cos(angle), scale * sin(angle)
    x, y = person.face_xy_px
    # Turn about the face and bring it to where it belongs.
    to_x, to_y = pose.face_x_px, HORIZON_PX - pose.rise_px
    placing = np.array(
        [[along, across, to_x - along * x - across * y],
         [-across, along, to_y + across * x - along * y]]
    )  # fmt: skip
    height, width = person.matte.shape
    corners = placing @ np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]])
    left, right = np.clip([corners[0].min() - 20, corners[0].max() + 20], 0, WIDTH_PX).astype(int)
    top, bottom = np.clip([corners[1].min(), corners[1].max()], 0, GATE_TOP_PX).astype(int)
    if right <= left or bottom <= top:
        return
    placing[:, 2] -= (left, top)
    size = int(right - left), int(bottom - top)
    shown, matte = _warped(person, placing, size, shutter_px=abs(pose.speed_px_s) * _SHUTTER_S)
    part = image[top:bottom, left:right]
    part *= 1 - matte[..., None]
    part += shown * gain


def _warped(
    person: Cutout, placing: NDArray[np.float64], size: tuple[int, int], *, shutter_px: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return picture and matte of a person, moved, and blurred by the movement."""
    flags = cv2.INTER_AREA if abs(np.linalg.det(placing[:, :2])) < 0.25 else cv2.INTER_LINEAR
    shown = cv2.warpAffine(person.image_bgr, placing, size, flags=flags)
    matte = cv2.warpAffine(person.matte, placing, size, flags=flags)
    if (length := round(shutter_px)) > 1:
        shown = cv2.blur(shown, (length, 1))
        matte = cv2.blur(matte, (length, 1))
    return np.asarray(shown, np.float32), np.asarray(matte, np.float32)
