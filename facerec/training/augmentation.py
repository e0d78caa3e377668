"""Changing chips as cameras do: geometry, hiding, light, optics, sensor, compression.

The order is that of the light's way. Every change is a function of the chip and a seeded
generator, so a step that is redone sees the same pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.analysis.cutting import cut_out
from facerec.errors import TrainingError
from facerec.training.occlusion import occlude

__all__ = ["Augmentation", "augment", "resized"]

Chip = NDArray[np.uint8]
_MOST = {"scale": 0.5, "shift": 0.5, "turn_degrees": 180.0}
"""Largest values of what is no probability: beyond them no face is left on the chip."""


@dataclass(frozen=True)
class Augmentation:
    """How often and how far chips are changed; probabilities 0..1.

    Attributes:
        mirror: Probability of mirroring.
        scale: Largest share by which a chip is made larger or smaller.
        shift: Largest shift, as a share of the side.
        turn_degrees: Largest turn. Scale, shift and turn stand for what landmarks err.
        occlusion: Probability of something before the face.
        light: Probability of a change of exposure, gamma, contrast and colour of the light.
        grey: Probability of leaving out colour, as an infrared camera does.
        resolution: Probability of sampling down (to a quarter at least) and up again.
        blur: Probability of blur by focus or motion.
        noise: Probability of a sensor's noise.
        jpeg: Probability of JPEG compression, quality 30 to 95.
    """

    mirror: float = 0.5
    scale: float = 0.06
    shift: float = 0.03
    turn_degrees: float = 5.0
    occlusion: float = 0.1
    light: float = 0.5
    grey: float = 0.05
    resolution: float = 0.2
    blur: float = 0.15
    noise: float = 0.2
    jpeg: float = 0.3

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            most = _MOST.get(name, 1.0)
            if not 0 <= value <= most:
                raise TrainingError(
                    f"augmentation.{name} must lie in 0..{most:g}; received {value:g}"
                )


def resized(chip_bgr: Chip, side: int) -> Chip:
    """Return a chip at another side, its landmarks at the template scaled to that side."""
    if chip_bgr.shape[0] == side:
        return chip_bgr
    scale = side / chip_bgr.shape[0]
    return cut_out(chip_bgr, np.array([[scale, 0.0, 0.0], [0.0, scale, 0.0]]), side)


def augment(chip_bgr: Chip, random: np.random.Generator, how: Augmentation, side: int) -> Chip:
    """Change one chip.

    Args:
        chip_bgr: uint8 (s, s, 3), aligned.
        random: Decides all; every call draws the same count of decisions first, so that one
            setting does not change what another draws.
        how: How often and how far.
        side: Side of the chip that is returned.

    Returns:
        uint8 (side, side, 3).
    """
    draws = random.random(8)
    chip = occlude(chip_bgr, random) if draws[0] < how.occlusion else chip_bgr
    chip = cut_out(chip, _geometry(chip.shape[0], side, random, how), side)
    if draws[1] < how.mirror:
        chip = np.ascontiguousarray(chip[:, ::-1])
    if draws[2] < how.light:
        chip = _relit(chip, random)
    if draws[3] < how.grey:
        chip = _grey(chip)
    if draws[4] < how.resolution:
        chip = _resampled(chip, random)
    if draws[5] < how.blur:
        chip = _blurred(chip, random)
    if draws[6] < how.noise:
        chip = _noisy(chip, random)
    if draws[7] < how.jpeg:
        chip = _compressed(chip, random)
    return chip


def _geometry(
    taken: int, side: int, random: np.random.Generator, how: Augmentation
) -> NDArray[np.float64]:
    """Return the similarity from pixels of the chip to pixels of the result."""
    size, x, y, turn = random.uniform(-1, 1, 4)
    scale = side / taken * (1 + how.scale * size)
    angle = np.deg2rad(how.turn_degrees * turn)
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    middle = taken / 2
    target = side * (0.5 + how.shift * np.array([x, y]))
    matrix = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([matrix, target - matrix @ [middle, middle]])


def _relit(chip: Chip, random: np.random.Generator) -> Chip:
    gamma, gain = np.exp(random.uniform(-0.45, 0.45)), np.exp(random.uniform(-0.3, 0.3))
    lift = random.uniform(-20, 20)
    levels = 255 * (np.arange(256) / 255) ** gamma
    table = np.clip((levels - 128)[:, None] * gain + 128 + lift, 0, 255)
    warmth = 1 + random.uniform(-0.12, 0.12, 3)  # the light's colour, a factor a channel
    table = np.clip(table * warmth, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(chip, table.reshape(256, 1, 3)), np.uint8)


def _grey(chip: Chip) -> Chip:
    return np.asarray(
        cv2.cvtColor(cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8
    )


def _resampled(chip: Chip, random: np.random.Generator) -> Chip:
    side = chip.shape[0]
    small = max(8, round(side * random.uniform(0.25, 0.9)))
    down = cv2.resize(chip, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(down, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def _blurred(chip: Chip, random: np.random.Generator) -> Chip:
    side = chip.shape[0]
    if random.random() < 0.5:
        sigma = side / 112 * random.uniform(0.4, 1.8)
        return np.asarray(cv2.GaussianBlur(chip, (0, 0), sigma), np.uint8)
    length = max(2, round(side / 112 * random.uniform(3, 9)))
    kernel = np.zeros((length, length), np.float32)
    angle = random.uniform(0, np.pi)
    half = (length - 1) / 2
    reach = half * np.array([np.cos(angle), np.sin(angle)])
    ends = [tuple(int(v) for v in np.round(half + s * reach)) for s in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], (1.0,), 1)
    return np.asarray(cv2.filter2D(chip, -1, kernel / kernel.sum()), np.uint8)


def _noisy(chip: Chip, random: np.random.Generator) -> Chip:
    """Add shot noise (grows with light) and read noise."""
    read, shot = random.uniform(0, 6), random.uniform(0, 0.6)
    spread = np.sqrt(read**2 + shot * chip.astype(np.float32))
    noise = random.standard_normal(chip.shape, np.float32) * spread
    return np.asarray(np.clip(np.round(chip + noise), 0, 255), np.uint8)


def _compressed(chip: Chip, random: np.random.Generator) -> Chip:
    quality = int(random.integers(30, 96))
    data = cv2.imencode(".jpg", chip, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
