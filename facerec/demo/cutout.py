"""Cutting a person out of a photograph, along an outline drawn by hand."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Cutout", "Outline", "cut_out"]

_HEIGHT_PX = 1100
"""Height to which photographs are scaled down: more than any height on the stage."""
_UNSURE_SHARE = 0.009
"""How far from the true edge the outline may lie, as a share of the picture's height."""
_FEATHER_PX = 1.3
"""Softness of the edge: standard deviation of the blur of the matte."""
_GRABCUT_ROUNDS = 3


@dataclass(frozen=True)
class Outline:
    """A person's outline on a photograph, drawn by hand.

    Attributes:
        points: (x, y) corners of a closed polygon, as shares of the picture's width and height.
        eyes_y: Height of the eyes, as a share of the picture's height.
        face_x: Middle of the face, as a share of the picture's width.
        face_height: From chin to hairline, as a share of the picture's height.
    """

    points: tuple[tuple[float, float], ...]
    eyes_y: float
    face_x: float
    face_height: float


@dataclass(frozen=True, eq=False)
class Cutout:
    """A person without the background.

    Attributes:
        image_bgr: float32 (height, width, 3), 0..255, multiplied by the matte.
        matte: float32 (height, width), 0..1.
        face_xy_px: Middle of the face at the height of the eyes.
        face_height_px: From chin to hairline.
    """

    image_bgr: NDArray[np.float32]
    matte: NDArray[np.float32]
    face_xy_px: tuple[float, float]
    face_height_px: float


def cut_out(photograph_bgr: NDArray[np.uint8], outline: Outline) -> Cutout:
    """Cut a person out.

    The outline decides what is surely inside and outside; in the narrow band between, GrabCut
    (Rother et al., 2004) finds the edge in the pixels.

    Args:
        photograph_bgr: uint8 (height, width, 3).
        outline: Of the person in it.
    """
    scale = _HEIGHT_PX / photograph_bgr.shape[0]
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    image = cv2.resize(photograph_bgr, None, fx=scale, fy=scale, interpolation=interpolation)
    height, width = image.shape[:2]
    corners = np.array(outline.points) * (width, height)
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [np.rint(corners).astype(np.int32)], 1)
    matte = _refined(np.asarray(image, np.uint8), inside)
    return Cutout(
        image_bgr=(image * matte[..., None]).astype(np.float32),
        matte=matte,
        face_xy_px=(outline.face_x * width, outline.eyes_y * height),
        face_height_px=outline.face_height * height,
    )


def _refined(image_bgr: NDArray[np.uint8], inside: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn a hand-drawn mask (0 or 1) into a soft matte (height, width), 0..1."""
    reach = 2 * round(_UNSURE_SHARE * image_bgr.shape[0]) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    # Beyond the picture's border there is more of the person, not background.
    surely = cv2.erode(inside, disc, borderType=cv2.BORDER_REPLICATE)
    possibly = cv2.dilate(inside, disc)
    labels = np.where(inside == 1, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[surely == 1] = cv2.GC_FGD
    labels[possibly == 0] = cv2.GC_BGD
    whole = (0, 0, image_bgr.shape[1], image_bgr.shape[0])
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(image_bgr, labels, whole, *models, _GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    person = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)
    person = _largest_part(np.asarray(cv2.medianBlur(person, 5), np.uint8))
    # A pixel inside its edge, the colour is the person's alone.
    person = np.asarray(cv2.erode(person, np.ones((3, 3), np.uint8)), np.uint8)
    soft = cv2.GaussianBlur(person.astype(np.float32), (0, 0), _FEATHER_PX)
    return np.asarray(soft, np.float32)


def _largest_part(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Keep the largest connected part of a mask (0 or 1)."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return mask
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(parts == largest, np.uint8)
