"""Bringing faces to the position and size that an embedder was trained on."""

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.cutting import cut_out
from facerec.errors import ArrayError
from facerec.inference.manifest import Alignment

__all__ = ["align", "similarity_transform"]

Points = NDArray[np.float32] | NDArray[np.float64]


def similarity_transform(source: Points, target: Points) -> NDArray[np.float64]:
    """Rotate, scale and shift points onto others with the least sum of squared distances.

    S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    IEEE PAMI 13(4), 1991; in the plane, and without reflection, its solution is a division of
    complex numbers: with centred points s and t, rotation and scale are sum(conj(s) t) / sum(|s|²).

    Args:
        source: (k, 2), k >= 2, not all in one place.
        target: (k, 2).

    Returns:
        float64 (2, 3): ``target ~ matrix[:, :2] @ source + matrix[:, 2]``.

    Raises:
        ArrayError: the shapes differ, or the points of `source` coincide.
    """
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 2:
        raise ArrayError(
            f"points must have one shape (k, 2); received {source.shape} and {target.shape}"
        )
    s = source[:, 0].astype(np.float64) + 1j * source[:, 1]
    t = target[:, 0].astype(np.float64) + 1j * target[:, 1]
    s_mean, t_mean = s.mean(), t.mean()
    s = s - s_mean
    spread = np.vdot(s, s).real
    if not spread > 0:
        raise ArrayError("the points of source must not coincide")
    turn = np.vdot(s, t - t_mean) / spread
    shift = t_mean - turn * s_mean
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def align(
    image_bgr: NDArray[np.uint8], landmarks_px: NDArray[np.float32], alignment: Alignment
) -> NDArray[np.uint8]:
    """Cut out the chip of each face.

    Args:
        image_bgr: uint8 (height, width, 3).
        landmarks_px: float32 (n, 5, 2), as in `Faces`.
        alignment: Where the landmarks lie on the chip.

    Returns:
        uint8 (n, s, s, 3) BGR with s = ``alignment.chip_size_px``; black beyond the image.

    Raises:
        ArrayError: the landmarks of a face coincide.
    """
    side = alignment.chip_size_px
    target = np.array(alignment.landmarks_px, np.float64)
    chips = np.empty((len(landmarks_px), side, side, 3), np.uint8)
    for chip, landmarks in zip(chips, landmarks_px, strict=True):
        chip[:] = cut_out(image_bgr, similarity_transform(landmarks, target), side)
    return chips
