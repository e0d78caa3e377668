"""Pictures made by arithmetic, to try networks on."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["generated_images"]


def generated_images(count: int, height: int, width: int) -> NDArray[np.uint8]:
    """Return coloured patterns, the same to the last bit on every machine.

    Triangle waves of whole-number slopes and a little hashed noise: smooth areas, edges, fine
    detail and full contrast, without a photograph and without floating-point arithmetic.
    """
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    planes = []
    for plane in range(3 * count):
        waves = sum(
            np.abs((a * x + b * y + 97 * plane) % 512 - 256)
            for a, b in ((5 + plane, 3), (-11, 7 + 2 * plane), (23, -17 - plane))
        )
        noise = (x * 7919 + y * 104729 + plane * 1299709) * 2654435761 % (1 << 32) >> 28
        planes.append(np.clip((waves - 128) // 2 + noise - 8, 0, 255))
    images = np.stack(planes, axis=-1).reshape(height, width, count, 3)
    return np.ascontiguousarray(images.transpose(2, 0, 1, 3).astype(np.uint8))
