"""The faces of one image as a struct of arrays."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError

__all__ = ["FaceQuality", "Faces"]

Index = slice | NDArray[np.intp] | NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FaceQuality:
    """How fit each of n faces is for comparison; every score is float32 (n,), 0 (unfit) to 1.

    Attributes:
        overall: One number a face, made from the components by `facerec.analysis.quality`.
        size: From the distance between the eyes in the image handed in.
        sharpness: From the fine detail left on the aligned chip.
        brightness: Falls when the chip is too dark or too light.
        contrast: Falls when the grey levels of the chip lie too close together for their mean.
        pose: Falls as the face turns away; from the five landmarks.
        visibility: Share of the face's box inside the image.
    """

    overall: NDArray[np.float32]
    size: NDArray[np.float32]
    sharpness: NDArray[np.float32]
    brightness: NDArray[np.float32]
    contrast: NDArray[np.float32]
    pose: NDArray[np.float32]
    visibility: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.overall)

    def __getitem__(self, index: Index) -> Self:
        return type(self)(**{name: value[index] for name, value in vars(self).items()})

    @classmethod
    def empty(cls) -> Self:
        """Return the quality of no faces."""
        return cls(*(np.zeros(0, np.float32) for _ in range(7)))


@dataclass(frozen=True, eq=False)
class Faces:
    """What was found in one image, best detection score first.

    Attributes:
        boxes_xyxy_px: float32 (n, 4): left, top, right, bottom in pixels of the image handed in;
            may reach beyond its border.
        detection_scores: float32 (n,), 0..1, rising with the detector's belief.
        landmarks_px: float32 (n, 5, 2): right eye, left eye, nose tip, right and left mouth corner
            of the subject, as (x, y) in pixels of the image handed in.
        quality: Present once assessed.
        embeddings: float32 (n, d), unit length; present once embedded.
        recognisability: float32 (n,), 0..1: how much of a face the embedder saw, from the length
            of its output before that is made 1; present once embedded, and then part of
            ``quality.overall``.
    """

    boxes_xyxy_px: NDArray[np.float32]
    detection_scores: NDArray[np.float32]
    landmarks_px: NDArray[np.float32]
    quality: FaceQuality | None = None
    embeddings: NDArray[np.float32] | None = None
    recognisability: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        n = len(self.detection_scores)
        expected = {
            "boxes_xyxy_px": (self.boxes_xyxy_px, (n, 4)),
            "detection_scores": (self.detection_scores, (n,)),
            "landmarks_px": (self.landmarks_px, (n, 5, 2)),
        }
        for name, (array, shape) in expected.items():
            if array.shape != shape or array.dtype != np.float32:
                raise ArrayError(
                    f"{name} must be float32 of shape {shape}; "
                    f"received {array.dtype} of shape {array.shape}"
                )
        if self.quality is not None and len(self.quality) != n:
            raise ArrayError(f"quality must hold {n} faces; received {len(self.quality)}")
        if self.embeddings is not None and (self.embeddings.ndim != 2 or len(self.embeddings) != n):
            raise ArrayError(
                f"embeddings must have shape ({n}, d); received {self.embeddings.shape}"
            )

    def __len__(self) -> int:
        return len(self.detection_scores)

    def __getitem__(self, index: Index) -> Self:
        return replace(
            self,
            boxes_xyxy_px=self.boxes_xyxy_px[index],
            detection_scores=self.detection_scores[index],
            landmarks_px=self.landmarks_px[index],
            quality=None if self.quality is None else self.quality[index],
            embeddings=None if self.embeddings is None else self.embeddings[index],
            recognisability=None if self.recognisability is None else self.recognisability[index],
        )

    @classmethod
    def empty(cls) -> Self:
        """Return the faces of an image that shows none."""
        return cls(
            np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32)
        )
