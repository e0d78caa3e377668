"""Annotated images, cut and changed at random, as the batches that a detector learns from."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.analysis.image_decoding import read_image
from facerec.errors import FaceRecError, TrainingError
from facerec.evaluation.protocols.detection import AnnotatedImage

__all__ = ["DetectionBatches"]

MOST_FACES = 24
"""Faces of an image that are learned from; of more, the largest."""
LEAST_SIDE_PX = 8.0
"""Smaller faces than a cell's are left out."""
_MIRRORED = (1, 0, 2, 4, 3)  # eyes and mouth corners change places


@dataclass(frozen=True, eq=False)
class DetectionBatches:
    """Makes the batch of any step; what it makes depends on seed and step alone.

    Attributes:
        images: Annotations.
        folder: Where the images lie.
        side_px: Side of the squares that are made, a multiple of 32.
        batch_size: Images a step.
        seed: Of all draws.
    """

    images: tuple[AnnotatedImage, ...]
    folder: Path
    side_px: int
    batch_size: int
    seed: int

    def endless(self) -> Iterator[tuple[dict[str, NDArray[np.generic]]]]:
        """Yield the batches of all steps."""
        step = 0
        while True:
            yield (self.batch(step),)
            step += 1

    def batch(self, step: int) -> dict[str, NDArray[np.generic]]:
        """Return ``images``, ``faces``, ``present``, ``landmarks``, ``known`` of a step."""
        made = []
        for place in range(self.batch_size):
            number = step * self.batch_size + place
            order = np.random.default_rng([self.seed, 5, number // len(self.images)])
            chosen = int(order.permutation(len(self.images))[number % len(self.images)])
            random = np.random.default_rng([self.seed, 6, number])
            made.append(self._one(self.images[chosen], random))
        names = ("images", "faces", "present", "landmarks", "known")
        return {name: np.stack(arrays) for name, arrays in zip(names, zip(*made, strict=True),
                                                              strict=True)}  # fmt: skip

    def _one(
        self, annotated: AnnotatedImage, random: np.random.Generator
    ) -> tuple[NDArray[np.generic], ...]:
        try:
            image = read_image(self.folder / annotated.name, max_pixels=50_000_000)
        except (FaceRecError, OSError) as error:
            raise TrainingError(
                f"the image {annotated.name} vanished or cannot be read; put it back, or take it "
                "out of the boxes file"
            ) from error
        side = self.side_px
        scale = side / max(image.shape[:2]) * np.exp(random.uniform(-0.5, 0.5))
        height, width = (scale * length for length in image.shape[:2])
        shift = random.uniform([min(0, side - width), min(0, side - height)],
                               [max(0, side - width), max(0, side - height)])  # fmt: skip
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        flags = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
        cut = np.asarray(cv2.warpAffine(image, matrix, (side, side), flags=flags), np.uint8)
        boxes = annotated.boxes_xyxy_px * scale + np.tile(shift, 2)
        marks = annotated.landmarks_px * scale + shift
        if random.random() < 0.5:
            cut = np.ascontiguousarray(cut[:, ::-1])
            boxes = np.stack([side - boxes[:, 2], boxes[:, 1], side - boxes[:, 0], boxes[:, 3]], 1)
            marks = np.stack([side - marks[..., 0], marks[..., 1]], axis=-1)[:, _MIRRORED]
        light = np.exp(random.uniform(-0.3, 0.3)) * (1 + random.uniform(-0.08, 0.08, 3))
        lit = np.clip(cut * light + random.uniform(-20, 20), 0, 255).astype(np.uint8)
        return (lit, *_padded(boxes, marks, side))


def _padded(
    boxes: NDArray[np.float64], marks: NDArray[np.float64], side: int
) -> tuple[NDArray[np.float32], ...]:
    """Keep the faces whose middle is in the square, and fill up to `MOST_FACES`."""
    centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    inside = ((centres > 0) & (centres < side)).all(axis=1) & (sides.min(axis=1) > LEAST_SIDE_PX)
    rows = np.flatnonzero(inside)
    rows = rows[np.argsort(-sides[rows].prod(axis=1), kind="stable")][:MOST_FACES]
    faces = np.zeros((MOST_FACES, 4), np.float32)
    landmarks = np.zeros((MOST_FACES, 10), np.float32)
    present, known = np.zeros((2, MOST_FACES), np.float32)
    faces[: len(rows)] = boxes[rows]
    present[: len(rows)] = 1
    told = marks[rows].reshape(-1, 10)
    known[: len(rows)] = np.isfinite(told).all(axis=1)
    landmarks[: len(rows)] = np.nan_to_num(told)
    return faces, present, landmarks, known
