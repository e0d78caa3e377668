"""The generated pictures are the same everywhere: dlib's recorded answer depends on it."""

import hashlib

import numpy as np

from facerec.models.generated_images import generated_images


def test_they_never_change() -> None:
    images = generated_images(2, 150, 150)
    assert images.dtype == np.uint8
    digest = hashlib.sha256(images.tobytes()).hexdigest()
    assert digest.startswith("21845a4d4b3f3d96")


def test_they_differ_and_use_the_whole_range() -> None:
    first, second = generated_images(2, 112, 112)
    assert first.shape == (112, 112, 3)
    assert first.min() == 0 and first.max() == 255
    assert np.abs(first.astype(int) - second).mean() > 40
