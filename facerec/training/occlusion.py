"""Things that hide part of a face: masks, dark glasses, hats, a hand. Shapes, not pictures of them.

Drawn in coordinates of the chip, where the landmarks are known: the ArcFace template has the eyes
at 46 %, the nose tip at 64 %, the mouth at 82 % of the height.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["OCCLUSIONS", "occlude"]

Chip = NDArray[np.uint8]
Points = list[tuple[float, float]]


def occlude(chip_bgr: Chip, random: np.random.Generator) -> Chip:
    """Return a copy of a chip with a part hidden, one shape of `OCCLUSIONS` drawn at random."""
    hidden = chip_bgr.copy()
    shape = OCCLUSIONS[int(random.integers(len(OCCLUSIONS)))]
    shape(hidden, random)
    return hidden


def _mask(chip: Chip, random: np.random.Generator) -> None:
    """Cover mouth and nose from cheek to cheek."""
    top, sag = 0.56 + 0.08 * random.random(), 0.04 * random.random()
    outline = [
        (0.12, top),
        (0.5, top - 0.06),
        (0.88, top),
        (0.8, 0.95),
        (0.5, 1 + sag),
        (0.2, 0.95),
    ]
    _fill(chip, outline, _cloth(random))


def _glasses(chip: Chip, random: np.random.Generator) -> None:
    """Put dark or tinted glasses before both eyes."""
    colour = tuple(float(value) for value in random.integers(0, 70, 3))
    side = chip.shape[0]
    width, height = 0.13 + 0.04 * random.random(), 0.08 + 0.05 * random.random()
    for x in (0.342, 0.656):
        centre = (round(x * side), round(0.465 * side))
        axes = (round(width * side), round(height * side))
        cv2.ellipse(chip, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_AA)
    thick = max(1, side // 40)
    cv2.line(chip, (0, round(0.43 * side)), (side, round(0.43 * side)), colour, thick)


def _hat(chip: Chip, random: np.random.Generator) -> None:
    """Cover the forehead down to above the brows, aslant."""
    left, right = 0.16 + 0.16 * random.random(2)
    _fill(chip, [(0, 0), (1, 0), (1, float(right)), (0, float(left))], _cloth(random))


def _hand(chip: Chip, random: np.random.Generator) -> None:
    """Lay some fingers of the colour of skin over a cheek, the mouth or an eye."""
    side = chip.shape[0]
    skin = chip[int(0.55 * side) : int(0.7 * side), int(0.25 * side) : int(0.75 * side)]
    colour = tuple(float(v) for v in skin.reshape(-1, 3).mean(axis=0) * random.uniform(0.7, 1.2))
    start = random.uniform(0.1, 0.9, 2) * side
    direction = random.uniform(0, 2 * np.pi)
    along = np.array([np.cos(direction), np.sin(direction)])
    across = np.array([-along[1], along[0]])
    for finger in range(int(random.integers(2, 5))):
        begin = start + across * finger * 0.11 * side
        end = begin + along * random.uniform(0.4, 0.7) * side
        ends = [tuple(int(v) for v in point) for point in (begin, end)]
        cv2.line(chip, ends[0], ends[1], colour, max(2, round(0.09 * side)), cv2.LINE_AA)


OCCLUSIONS: tuple[Callable[[Chip, np.random.Generator], None], ...] = (_mask, _glasses, _hat, _hand)
"""What may hide a face; each draws into the chip."""


def _cloth(random: np.random.Generator) -> tuple[float, float, float]:
    b, g, r = random.integers(0, 256, 3)
    return float(b), float(g), float(r)


def _fill(chip: Chip, outline: Points, colour: tuple[float, float, float]) -> None:
    points = np.round(np.array(outline) * chip.shape[0]).astype(np.int32)
    cv2.fillPoly(chip, [points], colour, cv2.LINE_AA)
