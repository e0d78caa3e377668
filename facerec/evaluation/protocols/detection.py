"""Detection against annotated boxes."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.detection import Detector
from facerec.analysis.faces import Faces
from facerec.analysis.image_decoding import read_image
from facerec.errors import EvaluationError, ImageError
from facerec.evaluation.metrics.detections import DetectionScores, match_image

__all__ = ["AnnotatedImage", "detect_all", "read_boxes"]

LEAST_SCORE = 0.02
"""Detections are taken down to here, so that the precision-recall curve is seen to its end."""


@dataclass(frozen=True, eq=False)
class AnnotatedImage:
    """The annotated faces of one image.

    Attributes:
        name: Path relative to the images' folder.
        boxes_xyxy_px: float64 (m, 4).
        landmarks_px: float64 (m, 5, 2); NaN where none are annotated.
    """

    name: str
    boxes_xyxy_px: NDArray[np.float64]
    landmarks_px: NDArray[np.float64]


def read_boxes(path: Path) -> tuple[AnnotatedImage, ...]:
    """Read annotations: a JSON object, image name to a list of faces.

    A face is ``[x, y, width, height]`` in pixels, or an object with that as ``"box"`` and, where
    known, ``"landmarks"``: five ``[x, y]``, the subject's right eye first.

    Raises:
        EvaluationError: the file cannot be read or is not of that form; the image is named.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise EvaluationError(f"the boxes file {path} cannot be read as JSON: {error}") from error
    if not isinstance(record, dict) or not record:
        raise EvaluationError(f"{path} must be a JSON object of image names, each with its faces")
    return tuple(_annotated(path, str(name), faces) for name, faces in record.items())


def _annotated(path: Path, name: str, faces: Any) -> AnnotatedImage:
    form = f"{path}, image {name}: each face must be [x, y, width, height] with positive sizes"
    if not isinstance(faces, list):
        raise EvaluationError(form)
    boxes, marks = np.zeros((len(faces), 4)), np.full((len(faces), 5, 2), np.nan)
    for i, face in enumerate(faces):
        given = face if isinstance(face, dict) else {"box": face}
        try:
            x, y, width, height = (float(value) for value in given["box"])
            if given.get("landmarks") is not None:
                marks[i] = np.array(given["landmarks"], float)
        except (KeyError, TypeError, ValueError) as error:
            raise EvaluationError(form) from error
        if not (np.isfinite([x, y]).all() and width > 0 and height > 0):
            raise EvaluationError(form)
        boxes[i] = x, y, x + width, y + height
    return AnnotatedImage(name, boxes, marks)


def detect_all(
    images: tuple[AnnotatedImage, ...],
    folder: Path,
    detector: Detector,
    advance: Callable[[int, int], None],
    *,
    min_face_px: int,
    max_pixels: int,
    min_score: float = LEAST_SCORE,
) -> DetectionScores:
    """Run a detector on every annotated image and judge what it finds.

    Args:
        images: Annotations; an image that is missing or unreadable counts as one in which
            nothing was found.
        folder: Where the images lie.
        detector: The detector.
        advance: Told how many of how many images are done.
        min_face_px: As the detector takes it.
        min_score: Least detection score: low, so that the whole precision-recall curve is seen.
        max_pixels: Images of more pixels are refused.

    Raises:
        EvaluationError: no annotated image can be read, or none shows an annotated face.
    """
    if not any(len(annotated.boxes_xyxy_px) for annotated in images):
        raise EvaluationError("no face is annotated in any image, so none can be found or missed")
    judged, failed = [], 0
    for index, annotated in enumerate(images):
        try:
            image = read_image(folder / annotated.name, max_pixels=max_pixels)
        except (ImageError, OSError):
            failed += 1
            found = Faces.empty()
        else:
            found = detector.detect(image, min_face_px=min_face_px, min_score=min_score)
        boxes, marks = (
            array.astype(np.float64) for array in (found.boxes_xyxy_px, found.landmarks_px)
        )
        judged.append(judge_image(annotated, boxes, found.detection_scores, marks, index))
        advance(index + 1, len(images))
    if failed == len(images):
        raise EvaluationError(
            f"none of the {failed} annotated images can be read in {folder}, the first is "
            f"{images[0].name}: is it the folder that the boxes were drawn for?"
        )
    return joined(judged, len(images), failed)


def judge_image(
    annotated: AnnotatedImage,
    boxes_xyxy_px: NDArray[np.float64],
    scores: NDArray[np.float32],
    landmarks_px: NDArray[np.float64],
    index: int,
) -> DetectionScores:
    """Judge the detections of one image."""
    truth = annotated.boxes_xyxy_px
    claimed = match_image(boxes_xyxy_px, scores, truth)
    right = claimed >= 0
    face_scores = np.full(len(truth), -np.inf, np.float32)
    face_scores[claimed[right]] = scores[right]
    true_marks = annotated.landmarks_px[claimed[right]]
    between_eyes = np.linalg.norm(true_marks[:, 0] - true_marks[:, 1], axis=1)
    distance = np.linalg.norm(landmarks_px[right] - true_marks, axis=2).mean(axis=1)
    known = np.isfinite(between_eyes) & (between_eyes > 0)
    sides = truth[:, 2:] - truth[:, :2]
    return DetectionScores(
        scores,
        right,
        np.full(len(scores), index, np.int32),
        np.sqrt(np.prod(sides, axis=1)),
        face_scores,
        distance[known] / between_eyes[known],
        1,
        0,
        np.full(len(truth), index, np.int32),
    )


def joined(parts: list[DetectionScores], images: int, failed: int) -> DetectionScores:
    """Put the judgements of several images together."""
    return DetectionScores(
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.correct for part in parts]),
        np.concatenate([part.image for part in parts]),
        np.concatenate([part.face_sizes_px for part in parts]),
        np.concatenate([part.face_scores for part in parts]),
        np.concatenate([part.landmark_errors for part in parts]),
        images,
        failed,
        np.concatenate([part.face_images for part in parts]),
    )
