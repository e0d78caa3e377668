"""Finding faces with YuNet."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.detection.close_up import FACE_PX
from facerec.analysis.detection.merging import SEEN_FROM
from facerec.analysis.detection.pyramid import detect_in_pyramid
from facerec.analysis.detection.views import FaceSpan
from facerec.analysis.faces import Faces
from facerec.inference.session import InferenceSession

__all__ = ["YuNetDetector", "decode_yunet"]

STRIDES = (8, 16, 32)

SPAN = FaceSpan(smallest_px=24, largest_px=448)
"""Measured on LFW faces, resized: found with a score of .7 and more are 95 % at 20 pixels, 98 % at
24, all from 40 to 512, 20 % at 768."""


class YuNetDetector:
    """YuNet (Wu, Peng, Yu 2023) on images of any size; the `Detector` for cameras."""

    def __init__(self, session: InferenceSession, *, close_up: bool = True) -> None:
        """Take the exported network.

        Args:
            session: Takes uint8 BGR (1, h, w, 3), h and w multiples of 32; gives what
                `decode_yunet` reads.
            close_up: Whether to look at each face again, see `refine`.
        """
        self._session = session
        self._close_up_face_px = FACE_PX if close_up else None

    def detect(self, image_bgr: NDArray[np.uint8], *, min_face_px: int, min_score: float) -> Faces:
        """Find the faces of one image; see `Detector.detect`."""
        return detect_in_pyramid(
            self._cells,
            image_bgr,
            span=SPAN,
            min_face_px=min_face_px,
            min_score=min_score,
            close_up_face_px=self._close_up_face_px,
        )

    def _cells(self, padded_bgr: NDArray[np.uint8]) -> Faces:
        height, width = padded_bgr.shape[:2]
        output = self._session.run(padded_bgr[None])[0]
        return decode_yunet(output, width=width, height=height, min_score=SEEN_FROM)


def decode_yunet(
    output: NDArray[np.float32], *, width: int, height: int, min_score: float
) -> Faces:
    """Read the faces that YuNet's cells predict.

    The formulas are those of OpenCV's `FaceDetectorYN` (Apache-2.0): score = sqrt(cls obj); centre
    = (cell + bbox[:2]) stride; size = exp(bbox[2:]) stride; landmark = (cell + kps) stride.

    Args:
        output: float32 (cells, 16): class and objectness (0..1), box 4, landmarks 10, in cells of
            stride 8, then 16, then 32, row by row.
        width: Width of the network's input, a multiple of 32.
        height: Height of the network's input, a multiple of 32.
        min_score: Cells of a lower score are left out.

    Returns:
        One face a cell, not merged, in pixels of the network's input, in the order of the cells.
    """
    # Nearly all cells see nothing, so the rest of the work is done for the few that do.
    squared = output[:, 0] * output[:, 1]
    seen = np.flatnonzero(squared >= min_score * min_score)
    if not len(seen):
        return Faces.empty()
    cells, strides = (places[seen] for places in _places(width, height))
    values = output[seen]
    centres = (cells + values[:, 2:4]) * strides
    halves = np.exp(values[:, 4:6]) * strides / 2
    landmarks = (values[:, 6:].reshape(-1, 5, 2) + cells[:, None]) * strides[:, None]
    return Faces(
        np.concatenate([centres - halves, centres + halves], axis=1),
        np.sqrt(np.clip(squared[seen], 0, 1)),
        landmarks,
    )


@lru_cache(maxsize=8)
def _places(width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Column and row (cells, 2) and stride (cells, 1) of all cells; worked out once a size."""
    cells, strides = [], []
    for stride in STRIDES:
        rows, columns = np.divmod(
            np.arange((height // stride) * (width // stride)), width // stride
        )
        cells.append(np.stack([columns, rows], axis=1))
        strides.append(np.full((len(rows), 1), stride))
    return (
        np.concatenate(cells).astype(np.float32),
        np.concatenate(strides).astype(np.float32),
    )
