"""The port through which faces are found."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.faces import Faces

__all__ = ["Detector"]


class Detector(Protocol):
    """Finds faces and their five landmarks; safe to call from several threads."""

    def detect(self, image_bgr: NDArray[np.uint8], *, min_face_px: int, min_score: float) -> Faces:
        """Find the faces of one image.

        Args:
            image_bgr: uint8 (height, width, 3) of any size from 1x1.
            min_face_px: Smallest face side that must be found, in pixels of the image; a larger
                one costs less time.
            min_score: Least detection score, 0..1, of a face that is returned.

        Returns:
            Faces with boxes and landmarks in pixels of `image_bgr`, best score first; none found
            is `Faces.empty()`.

        Raises:
            ArrayError: the image is not uint8 (height, width, 3).
        """
        ...
