"""Errors of face detection against annotated boxes."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError

__all__ = [
    "SIZE_BANDS_PX",
    "DetectionScores",
    "SizeRecall",
    "average_precision",
    "intersection_over_union",
    "match_image",
    "recall_by_size",
]

SIZE_BANDS_PX = (0.0, 32.0, 64.0, 128.0, float("inf"))
"""Borders of face-size bands: the side of a square of the box's area, in pixels."""


@dataclass(frozen=True, eq=False)
class DetectionScores:
    """Detections of a set of images, judged against annotated faces.

    Attributes:
        scores: float32 (n,) detection scores.
        correct: bool (n,) whether each claimed an annotated face that no better one had claimed.
        image: int32 (n,) image of each detection.
        face_sizes_px: float64 (m,) side of a square of each annotated box's area.
        face_scores: float32 (m,) score of the detection that claimed each face; -inf when missed.
        landmark_errors: float64 (k,) mean landmark distance over the distance between the eyes, of
            claimed faces that have annotated landmarks.
        images: Number of images.
        failed_images: Images that could not be read; their faces count as missed.
        face_images: int32 (m,) image of each annotated face.
    """

    scores: NDArray[np.float32]
    correct: NDArray[np.bool_]
    image: NDArray[np.int32]
    face_sizes_px: NDArray[np.float64]
    face_scores: NDArray[np.float32]
    landmark_errors: NDArray[np.float64]
    images: int
    failed_images: int
    face_images: NDArray[np.int32]

    @property
    def ap50(self) -> float:
        """Average precision at IoU .5."""
        return average_precision(self.scores, self.correct, len(self.face_sizes_px))

    def recall_at(self, score: float) -> float:
        """Return the share of annotated faces found at a detection score."""
        return float(np.mean(self.face_scores >= score)) if len(self.face_scores) else 0.0

    def false_positives_per_image(self, score: float) -> float:
        """Return detections that claim no annotated face, per image, at a detection score."""
        return float((~self.correct & (self.scores >= score)).sum() / max(self.images, 1))


@dataclass(frozen=True)
class SizeRecall:
    """Recall of faces whose size lies in a band.

    Attributes:
        least_px: Lower border, included.
        below_px: Upper border, excluded.
        faces: Annotated faces in the band.
        recall: Share found; None when the band is empty.
    """

    least_px: float
    below_px: float
    faces: int
    recall: float | None


def intersection_over_union(
    a_xyxy: NDArray[np.float64], b_xyxy: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the IoU of every box of (n, 4) with every box of (m, 4): float64 (n, m)."""
    low = np.maximum(a_xyxy[:, None, :2], b_xyxy[None, :, :2])
    high = np.minimum(a_xyxy[:, None, 2:], b_xyxy[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area_a, area_b = (np.clip(x[:, 2:] - x[:, :2], 0, None).prod(axis=1) for x in (a_xyxy, b_xyxy))
    union = area_a[:, None] + area_b[None, :] - shared
    safe = np.where(union > 0, union, 1.0)
    return np.asarray(shared / safe, np.float64)


def match_image(
    boxes_xyxy: NDArray[np.float64],
    scores: NDArray[np.float32],
    truth_xyxy: NDArray[np.float64],
    *,
    least_iou: float = 0.5,
) -> NDArray[np.int32]:
    """Give each detection of one image the annotated face that it claims.

    Best score first, each takes the free face it overlaps most (Everingham and others, 'The PASCAL
    Visual Object Classes Challenge', IJCV 2010).

    Returns:
        int32 (n,): row of the annotated face; -1 for a false positive.
    """
    claimed = np.full(len(boxes_xyxy), -1, np.int32)
    if not len(truth_xyxy) or not len(boxes_xyxy):
        return claimed
    overlap = intersection_over_union(boxes_xyxy, truth_xyxy)
    for detection in np.argsort(-scores, kind="stable"):
        face = int(overlap[detection].argmax())
        if overlap[detection, face] >= least_iou:
            claimed[detection] = face
            overlap[:, face] = 0.0
    return claimed


def average_precision(
    scores: NDArray[np.float32],
    correct: NDArray[np.bool_],
    positives: float,
    weights: NDArray[np.float64] | None = None,
) -> float:
    """Return the area under the precision-recall curve, precision made monotonic (VOC 2010).

    Args:
        scores: float32 (n,) detection scores; ties enter together.
        correct: bool (n,).
        positives: Number of annotated faces.
        weights: float64 (n,) how often each detection counts, above 0; None for once.
    """
    if positives < 1:
        raise ArrayError("average precision needs at least one annotated face")
    if not len(scores):
        return 0.0
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.append(np.diff(scores[order]) != 0, True)
    counted = np.ones(len(order)) if weights is None else weights[order]
    found = np.cumsum(counted * correct[order])[last_of_tie]
    claimed = np.cumsum(counted)[last_of_tie]
    precision = np.maximum.accumulate((found / claimed)[::-1])[::-1]
    recall = found / positives
    return float(np.sum(np.diff(np.concatenate([[0.0], recall])) * precision))


def recall_by_size(
    judged: DetectionScores, score: float, borders_px: tuple[float, ...] = SIZE_BANDS_PX
) -> tuple[SizeRecall, ...]:
    """Return recall at a detection score by band of face size."""
    bands = []
    for least, below in itertools.pairwise(borders_px):
        inside = (judged.face_sizes_px >= least) & (judged.face_sizes_px < below)
        found = judged.face_scores[inside] >= score
        bands.append(
            SizeRecall(least, below, int(inside.sum()), float(found.mean()) if len(found) else None)
        )
    return tuple(bands)
