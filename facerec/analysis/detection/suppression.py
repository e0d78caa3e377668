"""Keeping one box of each face."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["areas", "overlaps", "shared_areas", "suppress_overlaps"]


def areas(boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Areas of boxes: float32 (..., 4) to (...); 0 where right is left of left."""
    sides = np.maximum(boxes_xyxy[..., 2:] - boxes_xyxy[..., :2], 0)
    return np.asarray(sides[..., 0] * sides[..., 1], np.float32)


def shared_areas(
    boxes_a_xyxy: NDArray[np.float32], boxes_b_xyxy: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Area that each box of `a`, (n, 4), shares with each of `b`, (m, 4): float32 (n, m)."""
    a, b = boxes_a_xyxy[:, None], boxes_b_xyxy[None]
    lower, upper = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    return areas(np.concatenate([lower, upper], axis=-1))


def overlaps(
    boxes_a_xyxy: NDArray[np.float32], boxes_b_xyxy: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Intersection over union of each box of `a` with each of `b`.

    Args:
        boxes_a_xyxy: float32 (n, 4), left, top, right, bottom.
        boxes_b_xyxy: float32 (m, 4).

    Returns:
        float32 (n, m), 0..1; 0 where both boxes are empty.
    """
    shared = shared_areas(boxes_a_xyxy, boxes_b_xyxy)
    union = areas(boxes_a_xyxy)[:, None] + areas(boxes_b_xyxy)[None] - shared
    shares = np.zeros_like(shared)
    np.divide(shared, union, out=shares, where=union > 0)
    return shares


def suppress_overlaps(
    boxes_xyxy: NDArray[np.float32], scores: NDArray[np.float32], max_overlap: float
) -> NDArray[np.intp]:
    """Greedy non-maximum suppression: keep the best box, drop what overlaps it, and go on.

    Args:
        boxes_xyxy: float32 (n, 4), left, top, right, bottom.
        scores: float32 (n,).
        max_overlap: Greatest intersection over union, 0..1, that two kept boxes may have.

    Returns:
        intp (k,): indices of the kept boxes, best score first; among equal scores the earlier
        index first.
    """
    waiting = np.argsort(-scores, kind="stable")
    kept: list[np.intp] = []
    while len(waiting):
        kept.append(waiting[0])
        shared = overlaps(boxes_xyxy[waiting[:1]], boxes_xyxy[waiting[1:]])[0]
        waiting = waiting[1:][shared <= max_overlap]
    return np.array(kept, np.intp)
