"""Confidence intervals of detection rates, by drawing images with replacement.

Faces of one image share its light, sharpness and annotator, so images are drawn, not faces.
"""

import numpy as np
from numpy.typing import NDArray

from facerec.evaluation.metrics.bootstrap import Interval, bootstrap, uncertain
from facerec.evaluation.metrics.detections import DetectionScores, average_precision

__all__ = ["detection_intervals"]

FALSE_POSITIVES = "false_positives_per_image"


def detection_intervals(judged: DetectionScores, score: float) -> dict[str, Interval]:
    """Return intervals of ``ap50``, and of the rates at a detection score.

    Args:
        judged: Detections, judged.
        score: Detection score of ``recall`` and ``false_positives_per_image``.

    Returns:
        Interval by key, 95 %, over images; none for what no draw of images shows.
    """
    found = judged.face_scores >= score
    false = ~judged.correct & (judged.scores >= score)

    def precision(weights: NDArray[np.float64]) -> float | None:
        faces, counted = weights[judged.face_images].sum(), weights[judged.image]
        drawn = counted > 0
        if faces < 1:
            return None
        return average_precision(
            judged.scores[drawn], judged.correct[drawn], float(faces), counted[drawn]
        )

    def recall(weights: NDArray[np.float64]) -> float | None:
        faces = weights[judged.face_images]
        return float(faces @ found / faces.sum()) if faces.sum() else None

    def false_positives(weights: NDArray[np.float64]) -> float:
        return float(weights[judged.image] @ false / judged.images)

    shares = {
        "ap50": (judged.ap50, bootstrap(precision, judged.images)),
        "recall": (judged.recall_at(score), bootstrap(recall, judged.images)),
    }
    made = {
        name: uncertain(interval, rate, judged.images)
        for name, (rate, interval) in shares.items()
        if interval is not None
    }
    false_a_picture = bootstrap(false_positives, judged.images)
    return made if false_a_picture is None else made | {FALSE_POSITIVES: false_a_picture}
