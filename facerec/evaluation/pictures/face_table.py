"""One face of each picture, as a struct of arrays."""

from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.faces import FaceQuality, Faces

__all__ = ["QUALITY_NAMES", "Acquisition", "FaceTable"]

COMPONENTS = tuple(field.name for field in fields(FaceQuality))
QUALITY_NAMES = (*COMPONENTS, "recognisability")
"""Quality measures of a face, ``overall`` first."""


class Acquisition(StrEnum):
    """What came of trying to make a template of a picture."""

    ACQUIRED = "acquired"
    NO_FACE = "no_face"
    """The picture was read; no face was found in it."""
    UNREADABLE = "unreadable"
    """The file is not a picture that can be taken."""


@dataclass(frozen=True, eq=False)
class FaceTable:
    """The subject's face of each of n pictures; rows that failed hold zeros.

    Attributes:
        outcomes: uint8 (n,) index into ``tuple(Acquisition)``.
        faces_found: int32 (n,) faces found in the picture.
        boxes_xyxy_px: float32 (n, 4).
        landmarks_px: float32 (n, 5, 2).
        detection_scores: float32 (n,).
        quality: float32 (n, q) in the order of `QUALITY_NAMES`.
        embeddings: float32 (n, d), unit length.
    """

    outcomes: NDArray[np.uint8]
    faces_found: NDArray[np.int32]
    boxes_xyxy_px: NDArray[np.float32]
    landmarks_px: NDArray[np.float32]
    detection_scores: NDArray[np.float32]
    quality: NDArray[np.float32]
    embeddings: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.outcomes)

    def __getitem__(self, rows: slice | NDArray[np.intp] | NDArray[np.bool_]) -> "FaceTable":
        return FaceTable(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def acquired(self) -> NDArray[np.bool_]:
        """Whether each picture gave a template: bool (n,)."""
        return np.equal(self.outcomes, 0)

    def count(self, outcome: Acquisition) -> int:
        """Return how many pictures came out so."""
        return int((self.outcomes == tuple(Acquisition).index(outcome)).sum())

    @classmethod
    def failed(cls, outcome: Acquisition, size: int) -> "FaceTable":
        """Return the single row of a picture that gave no template of `size` numbers."""
        return cls(
            np.array([tuple(Acquisition).index(outcome)], np.uint8),
            np.zeros(1, np.int32),
            np.zeros((1, 4), np.float32),
            np.zeros((1, 5, 2), np.float32),
            np.zeros(1, np.float32),
            np.zeros((1, len(QUALITY_NAMES)), np.float32),
            np.zeros((1, size), np.float32),
        )

    @classmethod
    def of_face(cls, face: Faces, found: int) -> "FaceTable":
        """Return the single row of an assessed and embedded face, one of `found`."""
        quality = face.quality
        seen = face.recognisability
        if quality is None or face.embeddings is None or seen is None:
            raise ValueError("the face must have been assessed and embedded")
        return cls(
            np.zeros(1, np.uint8),
            np.array([found], np.int32),
            face.boxes_xyxy_px,
            face.landmarks_px,
            face.detection_scores,
            np.stack([*(getattr(quality, name) for name in COMPONENTS), seen], axis=1),
            face.embeddings,
        )

    @classmethod
    def joined(cls, parts: "list[FaceTable]") -> "FaceTable":
        """Return the rows of several tables, one after the other; at least one table."""
        return cls(
            *(np.concatenate([getattr(p, field.name) for p in parts]) for field in fields(cls))
        )
