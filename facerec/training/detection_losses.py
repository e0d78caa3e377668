"""What YuNet learns from: which cells answer for which face, and how wrong they are.

Assignment is SimOTA (Z. Ge et al.: "YOLOX", 2021, section 2.1): each face takes the k cells that
would answer for it most cheaply, k being the sum of its ten best overlaps. The losses are YuNet's
(W. Wu, H. Peng, S. Yu, 2023, section 3.3): cross-entropy for class and objectness, EIoU (Y. Zhang
et al.: "Focal and Efficient IOU Loss", 2021, equation 6) for boxes, smooth L1 for landmarks, at the
weights 1, 1, 5 and .1 of its published configuration.
"""

from dataclasses import dataclass
from typing import TypeAlias

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from facerec.models.yunet import YUNET_STRIDES

__all__ = ["Cells", "assign", "cells_of", "decode", "detection_loss", "efficient_iou_loss"]

CENTRE_RADIUS = 2.5
"""Cells so many cells from a face's centre may answer for it."""
CANDIDATES = 10
IOU_COST = 3.0
FAR_COST = 1e5
BOX_WEIGHT, LANDMARK_WEIGHT = 5.0, 0.1
SMOOTH_BETA = 1 / 9
_TINY = 1e-7

Tensor: TypeAlias = keras.KerasTensor


@dataclass(frozen=True, eq=False)
class Cells:
    """Where the cells of an image of one size are.

    Attributes:
        corners_px: float32 (c, 2) x and y of each cell's corner.
        strides_px: float32 (c, 1) side of each.
    """

    corners_px: NDArray[np.float32]
    strides_px: NDArray[np.float32]


def cells_of(side_px: int) -> Cells:
    """Return the cells of a square image, in the order of the network's output."""
    corners, strides = [], []
    for stride in YUNET_STRIDES:
        rows, columns = np.divmod(np.arange((side_px // stride) ** 2), side_px // stride)
        corners.append(np.stack([columns, rows], axis=1) * stride)
        strides.append(np.full((len(rows), 1), stride))
    return Cells(
        np.concatenate(corners).astype(np.float32), np.concatenate(strides).astype(np.float32)
    )


def decode(outputs: Tensor, cells: Cells) -> Tensor:
    """Return the boxes that cells predict: (n, c, 4), left, top, right, bottom in pixels."""
    centres = cells.corners_px + outputs[..., 2:4] * cells.strides_px
    halves = ops.exp(ops.clip(outputs[..., 4:6], -10, 10)) * cells.strides_px / 2
    return ops.concatenate([centres - halves, centres + halves], axis=-1)


def assign(
    scores: Tensor, boxes: Tensor, cells: Cells, faces: Tensor, present: Tensor
) -> tuple[Tensor, Tensor]:
    """Say which cell answers for which face; nothing is learned through the answer.

    Args:
        scores: (n, c) of the cells, 0..1.
        boxes: (n, c, 4) that the cells predict.
        cells: Where they are.
        faces: (n, m, 4) boxes of the faces; anything where there is none.
        present: (n, m) 1 for a face, 0 for none.

    Returns:
        (n, c, m) 1 where a cell answers for a face, at most one a cell; (n, c, m) overlaps.
    """
    boxes, scores = ops.stop_gradient(boxes), ops.stop_gradient(scores)
    overlaps = _overlaps(boxes[:, :, None], faces[:, None])
    inside, central = _near(cells, faces)
    real = present[:, None, :] > 0
    candidate = ops.logical_and(ops.logical_or(inside, central), real)
    far = ops.logical_not(ops.logical_and(inside, central))
    costs = (
        -ops.log(ops.clip(scores, _TINY, 1.0))[..., None]
        - IOU_COST * ops.log(overlaps + 1e-8)
        + FAR_COST * ops.cast(far, "float32")
    )
    costs = ops.where(candidate, costs, 1e9)
    best = ops.top_k(ops.transpose(overlaps * ops.cast(candidate, "float32"), (0, 2, 1)),
                     CANDIDATES)[0]  # fmt: skip
    wanted = ops.maximum(ops.floor(ops.sum(best, axis=-1)), 1.0)
    ranks = ops.argsort(ops.argsort(costs, axis=1), axis=1)
    taken = ops.logical_and(ops.cast(ranks, "float32") < wanted[:, None, :], candidate)
    # A cell that several faces want answers for the one it is cheapest for.
    own = ops.where(taken, costs, 2e9)
    first = ops.one_hot(ops.argmin(own, axis=-1), faces.shape[1], dtype="float32")
    return ops.stop_gradient(first * ops.cast(taken, "float32")), overlaps


def detection_loss(
    outputs: Tensor,
    cells: Cells,
    faces: Tensor,
    present: Tensor,
    landmarks: Tensor,
    known: Tensor,
) -> Tensor:
    """Return the loss of a batch, a scalar.

    Args:
        outputs: (n, c, 16) of YuNet.
        cells: Where the cells are.
        faces: (n, m, 4) boxes in pixels.
        present: (n, m) 1 for a face, 0 for none.
        landmarks: (n, m, 10) x and y of five landmarks in pixels.
        known: (n, m) 1 where they are known.
    """
    boxes = decode(outputs, cells)
    scores = ops.sqrt(ops.clip(outputs[..., 0] * outputs[..., 1], _TINY, 1.0))
    answers, overlaps = assign(scores, boxes, cells, faces, present)
    positive = ops.sum(answers, axis=-1)
    count = ops.maximum(ops.sum(positive), 1.0)
    quality = ops.stop_gradient(ops.sum(answers * overlaps, axis=-1))
    objectness = ops.sum(_cross_entropy(outputs[..., 1], positive))
    classes = ops.sum(_cross_entropy(outputs[..., 0], quality) * positive)
    wanted = ops.matmul(answers, faces)
    box = ops.sum(efficient_iou_loss(boxes, wanted) * positive)
    marks = (ops.matmul(answers, landmarks) - ops.tile(cells.corners_px, (1, 5))) / cells.strides_px
    told = ops.sum(answers * known[:, None, :], axis=-1)
    gaps = ops.mean(_smooth(outputs[..., 6:] - marks), axis=-1)
    return (
        objectness + classes + BOX_WEIGHT * box + LANDMARK_WEIGHT * ops.sum(gaps * told)
    ) / count


def efficient_iou_loss(boxes: Tensor, wanted: Tensor) -> Tensor:
    """Return ``1 - IoU`` plus the shares by which centre, width and height are off.

    Args:
        boxes: (..., 4).
        wanted: (..., 4).

    Returns:
        (...).
    """
    low = ops.minimum(boxes[..., :2], wanted[..., :2])
    hull = ops.maximum(ops.maximum(boxes[..., 2:], wanted[..., 2:]) - low, 1.0)
    centres = (boxes[..., :2] + boxes[..., 2:] - wanted[..., :2] - wanted[..., 2:]) / 2
    sides = (boxes[..., 2:] - boxes[..., :2]) - (wanted[..., 2:] - wanted[..., :2])
    distance = ops.sum(ops.square(centres), axis=-1) / ops.sum(ops.square(hull), axis=-1)
    return 1 - _overlaps(boxes, wanted) + distance + ops.sum(ops.square(sides / hull), axis=-1)


def _near(cells: Cells, faces: Tensor) -> tuple[Tensor, Tensor]:
    """Tell which cells lie in each face, and which near its centre: bool (n, c, m) each."""
    points = (cells.corners_px + cells.strides_px / 2)[None, :, None]
    low, high = faces[:, None, :, :2], faces[:, None, :, 2:]
    inside = ops.all(ops.logical_and(points > low, points < high), axis=-1)
    reach = CENTRE_RADIUS * cells.strides_px[None, :, None]
    central = ops.all(ops.abs(points - (low + high) / 2) < reach, axis=-1)
    return inside, central


def _overlaps(one: Tensor, other: Tensor) -> Tensor:
    low = ops.maximum(one[..., :2], other[..., :2])
    high = ops.minimum(one[..., 2:], other[..., 2:])
    shared = ops.prod(ops.maximum(high - low, 0.0), axis=-1)
    areas = [ops.prod(ops.maximum(b[..., 2:] - b[..., :2], 0.0), axis=-1) for b in (one, other)]
    return shared / ops.maximum(areas[0] + areas[1] - shared, _TINY)


def _cross_entropy(probability: Tensor, wanted: Tensor) -> Tensor:
    p = ops.clip(probability, _TINY, 1 - _TINY)
    return -(wanted * ops.log(p) + (1 - wanted) * ops.log(1 - p))


def _smooth(gaps: Tensor) -> Tensor:
    size = ops.abs(gaps)
    near = 0.5 * ops.square(size) / SMOOTH_BETA
    return ops.where(size < SMOOTH_BETA, near, size - SMOOTH_BETA / 2)
