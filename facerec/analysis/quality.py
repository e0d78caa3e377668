"""How fit a face is for comparison.

The components are those of ISO/IEC 29794-5 and its reference software OFIQ that cost next to
nothing (inter-eye distance, sharpness, illumination mean and variance, head pose, face within the
image). Each is a straight ramp from 0 to 1. Where a ramp begins and ends was measured with SFace on
200 mated pairs of LFW of which one side was spoilt step by step: 1 where at most 1 % of the pairs
falls below the threshold of FMR 1e-4, 0 where about half does.
"""

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.analysis.faces import FaceQuality, Faces

__all__ = ["QualityFlaw", "assess", "flaws"]

EYE_DISTANCE_PX = (5.0, 16.0)
"""Measured: 97.5 % found at 14 pixels, 95 % at 10, 87 % at 8, 67 % at 6."""

DETAIL = (0.045, 0.12)
"""Share of the grey levels' deviation that a Gaussian of `DETAIL_SIGMA_PX` takes away. Measured on
112-pixel chips: .21 for LFW as it is; blurred with sigma 1.5: .12 and 96 % found, 2: .09 and 94 %,
3: .065 and 81 %, 4: .05 and 46 %."""

DETAIL_SIGMA_PX = 1.5
"""For a chip of 112 pixels; in proportion for others."""

DARK_MEAN = (5.0, 30.0)
"""Measured: 97 % found at a mean grey level of 30, 92 % at 12, 52 % at 6."""

LIGHT_MEAN = (255.0, 190.0)
"""Measured: 96 % found at 190, 91 % at 215, 82 % at 245."""

CONTRAST = (0.03, 0.09)
"""Standard deviation of the grey levels over their mean (RMS contrast: Peli, "Contrast in complex
images", JOSA A 7(10), 1990), so that a dark face, which is judged by its mean, is not called flat
too. Measured: 95 % found at .08, 85 % at .056, 36 % at .034."""

NOSE_BASE = 0.44
NOSE_LENGTH = 0.45
"""Gee and Cipolla, "Determining the gaze of faces in images", Image and Vision Computing 12(10),
1994: the nose's base lies between mouth and eyes (theirs: .4 of the way up) and its tip stands out
from the face's plane (theirs: by .6 of the distance between eyes and mouth). Ours are for the tips
that detectors mark on LFW: its median face looks straight ahead, its most turned ones by 45°."""

FLAWED_BELOW = 0.3
TURNED_BELOW = 0.5
"""cos² of 45°."""
CLIPPED_BELOW = 0.75
"""Measured: 95 to 97 % found with a quarter of the chip black."""

RAMP_STARTS, RAMP_ENDS = np.array(
    [EYE_DISTANCE_PX, DETAIL, CONTRAST, DARK_MEAN, LIGHT_MEAN, (0.0, TURNED_BELOW)], np.float32
).T[..., None]
"""Where each component is 0 and where it is 1, float32 (6, 1) each."""


class QualityFlaw(StrEnum):
    """What makes a face unfit; stable words for scripts."""

    TOO_SMALL = "too_small"
    BLURRED = "blurred"
    BADLY_LIT = "badly_lit"
    LOW_CONTRAST = "low_contrast"
    TURNED_AWAY = "turned_away"
    CLIPPED = "clipped"


def assess(image_bgr: NDArray[np.uint8], faces: Faces, chips_bgr: NDArray[np.uint8]) -> FaceQuality:
    """Assess faces.

    Args:
        image_bgr: uint8 (height, width, 3), in which the faces were found.
        faces: n faces with boxes and landmarks.
        chips_bgr: uint8 (n, s, s, 3), their aligned chips.

    Returns:
        Quality of n faces; ``overall`` is the product of the components, with the pose counting
        only from `TURNED_BELOW` down: as five landmarks show it, pose above that says nothing of
        how well a face is recognised (docs/accuracy.md).
    """
    pixels = np.array([_chip_statistics(chip) for chip in chips_bgr], np.float32).reshape(-1, 3)
    mean, deviation, detail = pixels.T
    eye_distance, pose = _eye_distance_and_frontality(faces.landmarks_px)
    # One ramp for all components of all faces: a camera pays for each array operation.
    measured = np.stack([eye_distance, detail, deviation / np.maximum(mean, 1), mean, mean, pose])
    size, sharpness, contrast, not_dark, not_light, turned = _ramps(measured)
    brightness = np.minimum(not_dark, not_light)
    height, width = image_bgr.shape[:2]
    visibility = _share_inside(faces.boxes_xyxy_px, width, height)
    return FaceQuality(
        overall=size * sharpness * brightness * contrast * turned * visibility,
        size=size,
        sharpness=sharpness,
        brightness=brightness,
        contrast=contrast,
        pose=pose,
        visibility=visibility,
    )


def flaws(quality: FaceQuality, index: int) -> tuple[QualityFlaw, ...]:
    """Name what makes a face unfit, worst first.

    Args:
        quality: Of all faces of an image.
        index: Of the face.

    Returns:
        Flaws, the one farthest below its limit first; empty for a fit face.
    """
    limits = {
        QualityFlaw.TOO_SMALL: (quality.size, FLAWED_BELOW),
        QualityFlaw.BLURRED: (quality.sharpness, FLAWED_BELOW),
        QualityFlaw.BADLY_LIT: (quality.brightness, FLAWED_BELOW),
        QualityFlaw.LOW_CONTRAST: (quality.contrast, FLAWED_BELOW),
        QualityFlaw.TURNED_AWAY: (quality.pose, TURNED_BELOW),
        QualityFlaw.CLIPPED: (quality.visibility, CLIPPED_BELOW),
    }
    shares = {flaw: float(values[index]) / limit for flaw, (values, limit) in limits.items()}
    return tuple(sorted((f for f, share in shares.items() if share < 1), key=shares.__getitem__))


def _ramps(measured: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rise from 0 at `RAMP_STARTS` to 1 at `RAMP_ENDS`, which may be smaller: float32 (6, n)."""
    shares = (measured - RAMP_STARTS) / (RAMP_ENDS - RAMP_STARTS)
    return np.asarray(np.minimum(np.maximum(shares, 0), 1), np.float32)


def _chip_statistics(chip_bgr: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Mean and deviation of the grey levels, and share of fine detail, where the face is."""
    side = len(chip_bgr)
    # From eyebrows to chin and cheek to cheek, on ArcFace's and on dlib's chip: background and
    # hair say nothing of the face's light.
    face = chip_bgr[side * 25 // 100 : side * 90 // 100, side * 20 // 100 : side * 80 // 100]
    grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY).astype(np.float32)
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
    smooth = cv2.GaussianBlur(grey, (0, 0), DETAIL_SIGMA_PX * side / 112)
    lost = float(cv2.meanStdDev(grey - smooth)[1][0, 0])
    # Under one grey level of deviation there is only rounding noise, which is no detail.
    return mean, deviation, lost / max(deviation, 1.0)


def _eye_distance_and_frontality(
    landmarks_px: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Distance between the eyes in pixels, and cos² of the angle to the line of sight (0..1).

    The distance is that to the mouth if longer: turning shortens only one of them. The tip of the
    nose stands out along the face's normal, so where it appears beside the nose's base, in nose
    lengths, is the sine of the angle. Turning within the image changes nothing.
    """
    right_eye, left_eye, nose = (landmarks_px[:, point] for point in range(3))
    mouth = (landmarks_px[:, 3] + landmarks_px[:, 4]) / 2
    down = mouth - (right_eye + left_eye) / 2
    aside = nose - (mouth - NOSE_BASE * down)
    apart, tall, off = np.hypot(*np.stack([left_eye - right_eye, down, aside]).transpose(2, 0, 1))
    eye_distance = np.maximum(apart, tall)
    sine = off / (NOSE_LENGTH * np.maximum(eye_distance, np.float32(1e-6)))
    return eye_distance, np.maximum(1 - np.minimum(sine, 1) ** 2, 0)


def _share_inside(boxes_xyxy: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Share of each box's area that lies in the image."""
    left, top, right, bottom = boxes_xyxy.T
    columns = np.minimum(right, width) - np.maximum(left, 0)
    rows = np.minimum(bottom, height) - np.maximum(top, 0)
    inside = np.maximum(columns, 0) * np.maximum(rows, 0)
    whole = np.maximum(right - left, 1e-6) * np.maximum(bottom - top, 1e-6)
    return np.asarray(np.minimum(inside / whole, 1), np.float32)
