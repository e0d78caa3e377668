"""A photograph as a second before a camera: the same face with small motion and noise."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.video.frame import Frame

__all__ = ["StillMotion", "still_track"]

_SHOWN_FROM = datetime(2026, 1, 1, tzinfo=UTC)
"""Any time: only differences matter."""


@dataclass(frozen=True)
class StillMotion:
    """How a photograph is moved; amplitudes of a head that tries to stand still.

    Attributes:
        shift: Of the picture's side, to each side.
        growth: Of the scale, up and down.
        turn_deg: In the plane of the picture, to each side.
        gain: Of the brightness, up and down.
        noise_levels: Standard deviation of each pixel's own noise, in grey levels of 255.
    """

    shift: float = 0.03
    growth: float = 0.05
    turn_deg: float = 4.0
    gain: float = 0.08
    noise_levels: float = 5.0


def still_track(
    picture_bgr: NDArray[np.uint8],
    motion: StillMotion,
    *,
    seed: int,
    fps: float = 15.0,
    duration_s: float = 1.0,
) -> Iterator[Frame]:
    """Yield the frames of a track.

    Each of shift, growth, turn and gain swings at a frequency and phase of its own, drawn from
    `seed`; what moves into the picture at its border is its mirror image.

    Args:
        picture_bgr: uint8 (height, width, 3).
        motion: How much it is moved.
        seed: The same gives the same frames.
        fps: Frames a second.
        duration_s: Of the whole track; the last frame is at this time.
    """
    rng = np.random.default_rng(seed)
    hertz, phase = rng.uniform(0.3, 1.5, 5), rng.uniform(0, 2 * np.pi, 5)
    height, width = picture_bgr.shape[:2]
    for index in range(int(duration_s * fps + 1e-9) + 1):
        clock_s = index / fps
        x, y, growth, turn, gain = np.sin(2 * np.pi * hertz * clock_s + phase)
        warp = np.asarray(
            cv2.getRotationMatrix2D(
                (width / 2, height / 2), motion.turn_deg * turn, 1 + motion.growth * growth
            ),
            np.float64,
        )
        warp[:, 2] += np.array([x * width, y * height]) * motion.shift
        moved = cv2.warpAffine(picture_bgr, warp, (width, height), borderMode=cv2.BORDER_REFLECT)
        noise = rng.normal(0, motion.noise_levels, moved.shape)
        lit = moved * (1 + motion.gain * gain) + noise
        image = np.clip(np.rint(lit), 0, 255).astype(np.uint8)
        yield Frame(image, _SHOWN_FROM + timedelta(seconds=clock_s), index, clock_s)
