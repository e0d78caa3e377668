"""Showing what was found in an image."""

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.analysis.faces import Faces

__all__ = ["draw_faces"]

BOX_BGR = (80, 220, 60)
LANDMARK_BGR = (60, 80, 255)


def draw_faces(image_bgr: NDArray[np.uint8], faces: Faces) -> NDArray[np.uint8]:
    """Draw boxes, landmarks and detection scores.

    Args:
        image_bgr: uint8 (height, width, 3).
        faces: What was found in it.

    Returns:
        A copy with the drawing; line widths grow with the image.
    """
    drawn = image_bgr.copy()
    width = max(1, round(min(image_bgr.shape[:2]) / 300))
    for box, landmarks, score in zip(
        faces.boxes_xyxy_px.round().astype(int).tolist(),
        faces.landmarks_px.round().astype(int).tolist(),
        faces.detection_scores.tolist(),
        strict=True,
    ):
        left, top, right, bottom = box
        cv2.rectangle(drawn, (left, top), (right, bottom), BOX_BGR, width, cv2.LINE_AA)
        for x, y in landmarks:
            cv2.circle(drawn, (x, y), width + 1, LANDMARK_BGR, cv2.FILLED, cv2.LINE_AA)
        place = (left, max(top - 4 * width, 12 * width))
        cv2.putText(
            drawn,
            f"{score:.2f}",
            place,
            cv2.FONT_HERSHEY_SIMPLEX,
            0.5 * width,
            BOX_BGR,
            width,
            cv2.LINE_AA,
        )
    return drawn
