"""Finding faces with CenterFace."""

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.detection.close_up import look_again
from facerec.analysis.detection.merging import SEEN_FROM
from facerec.analysis.detection.pyramid import detect_in_pyramid
from facerec.analysis.detection.views import FaceSpan
from facerec.analysis.faces import Faces
from facerec.inference.session import InferenceSession

__all__ = ["CenterFaceDetector", "decode_centerface"]

STRIDE = 4

SPAN = FaceSpan(smallest_px=24, largest_px=448)
"""Measured on LFW faces, resized: found with a score of .5 and more are 95 % at 20 pixels, 99 % at
24, all from 32, 96 % at 640, 44 % at 800. Its scores of small faces are lower than YuNet's: with .7
and more, 84 % at 24 pixels."""

CLOSE_UP_PX = 192
FACE_PX = 80
"""Side of the close-up for a second look, and of the face in any close-up: as large as in LFW,
where CenterFace's landmarks were the best measured. 256 pixels with the same face bring no more."""


class CenterFaceDetector:
    """CenterFace (Xu et al. 2019) on images of any size; slower, more exact on small faces."""

    def __init__(self, session: InferenceSession, *, close_up: bool = True) -> None:
        """Take the exported network.

        Args:
            session: Takes uint8 BGR (1, h, w, 3), h and w multiples of 32; gives what
                `decode_centerface` reads.
            close_up: Whether to look at each face again, see `refine`.
        """
        self._session = session
        self._close_up_face_px = FACE_PX if close_up else None

    def detect(self, image_bgr: NDArray[np.uint8], *, min_face_px: int, min_score: float) -> Faces:
        """Find the faces of one image; see `Detector.detect`."""
        # Its scores are low where YuNet's are not: what asks for low ones gets their cells, too.
        seen_from = min(SEEN_FROM, min_score)
        return detect_in_pyramid(
            lambda padded_bgr: self._cells(padded_bgr, seen_from),
            image_bgr,
            span=SPAN,
            min_face_px=min_face_px,
            min_score=min_score,
            close_up_face_px=self._close_up_face_px,
        )

    def landmarks(self, image_bgr: NDArray[np.uint8], faces: Faces) -> NDArray[np.float32]:
        """Find landmarks of faces found by another detector; see `SecondLook`."""
        found = [
            look_again(
                self._cells,
                image_bgr,
                faces[index : index + 1],
                close_up_px=CLOSE_UP_PX,
                face_px=FACE_PX,
            ).landmarks_px
            for index in range(len(faces))
        ]
        return np.concatenate([np.zeros((0, 5, 2), np.float32), *found])

    def _cells(self, padded_bgr: NDArray[np.uint8], seen_from: float = SEEN_FROM) -> Faces:
        return decode_centerface(self._session.run(padded_bgr[None])[0], min_score=seen_from)


def decode_centerface(output: NDArray[np.float32], *, min_score: float) -> Faces:
    """Read the faces that CenterFace's cells predict.

    The formulas are those of its authors' code (MIT): centre = (cell + offset + 1/2) 4; size = 4
    exp(size); landmark = corner of the box + landmark times size of the box.

    Args:
        output: float32 (rows, columns, 15): score (0..1), log height and width, offset y and x,
            five landmarks (y, x each).
        min_score: Cells of a lower score are left out.

    Returns:
        One face a cell, not merged, in pixels of the network's input, in the order of the cells.
    """
    rows, columns = np.nonzero(output[..., 0] >= min_score)
    values = output[rows, columns]
    cells = np.stack([columns, rows], axis=1).astype(np.float32)
    # The network gives y before x throughout.
    sizes = np.exp(values[:, 2:0:-1]) * STRIDE
    corners = (cells + values[:, 4:2:-1] + np.float32(0.5)) * STRIDE - sizes / 2
    relative = values[:, 5:].reshape(-1, 5, 2)[..., ::-1]
    return Faces(
        np.concatenate([corners, corners + sizes], axis=1),
        values[:, 0].copy(),
        corners[:, None] + relative * sizes[:, None],
    )
