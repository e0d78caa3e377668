"""Faces made by hand: squares of given sides, and qualities of given components."""

from dataclasses import fields
from typing import Any

import numpy as np

from facerec.analysis.faces import FaceQuality, Faces


def faces_of_sides(*sides: float, embeddings: Any = None, **quality: float) -> Faces:
    """One face a side, side by side, all of the given quality; 1 for what is not given."""
    n = len(sides)
    lefts = np.concatenate([[0.0], np.cumsum(sides)])[:n]
    boxes = [(left, 0, left + side, side) for left, side in zip(lefts, sides, strict=True)]
    components = {
        field.name: np.full(n, quality.get(field.name, 1.0), np.float32)
        for field in fields(FaceQuality)
    }
    return Faces(
        np.array(boxes, np.float32).reshape(n, 4),
        np.ones(n, np.float32),
        np.zeros((n, 5, 2), np.float32),
        FaceQuality(**components),
        None if embeddings is None else np.array(embeddings, np.float32).reshape(n, -1 if n else 3),
    )
