"""A second opinion on where a face's landmarks are."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.faces import Faces

__all__ = ["SecondLook"]


class SecondLook(Protocol):
    """Finds the landmarks of faces that another detector found; safe to call from several threads.

    Where the mirrored chip is embedded too, cutting it by landmarks of another detector costs no
    further embedding, and the two chips' errors of alignment are nearly independent
    (docs/accuracy.md has the gain).
    """

    def landmarks(self, image_bgr: NDArray[np.uint8], faces: Faces) -> NDArray[np.float32]:
        """Find landmarks.

        Args:
            image_bgr: uint8 (height, width, 3).
            faces: n faces found in it.

        Returns:
            float32 (n, 5, 2) in pixels of the image; the face's own where nothing is seen.
        """
        ...
