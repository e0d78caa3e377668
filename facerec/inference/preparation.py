"""Making a network's input of pixels, for networks whose own first layers do not."""

import numpy as np
from numpy.typing import NDArray

from facerec.inference.manifest import Preprocessing

__all__ = ["prepared"]


def prepared(
    images_bgr: NDArray[np.uint8], preprocessing: Preprocessing
) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Return what a network takes for these images.

    Args:
        images_bgr: uint8 (n, h, w, 3).
        preprocessing: The network's.

    Returns:
        The images as they are for a network that does its own preprocessing; else float32 of the
        same shape, in the network's channel order: ``(x - offset) * scale``.
    """
    if preprocessing.in_network:
        return images_bgr
    ordered = images_bgr[..., ::-1] if preprocessing.color_order == "rgb" else images_bgr
    offset = np.array(preprocessing.offset, np.float32)
    values: NDArray[np.float32] = (ordered - offset) * np.float32(preprocessing.scale)
    return values
