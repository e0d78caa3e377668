"""Real chips, real images, and the whole catalogue installed."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from facerec.models.catalogue import CATALOGUE
from facerec.models.pull import pull
from facerec.models.store import ModelStore
from facerec.settings import Settings

# Centre and side of the square around a face, in pixels of the picture shrunk to 640 at most.
FACES = {
    "collins": (222, 120, 130),
    "obama-2012": (280, 150, 170),
    "obama-2009": (165, 240, 190),
    "biden-2010": (172, 115, 120),
}


def read_shrunk(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    scale = min(1.0, 640 / max(image.shape[:2]))
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="session")
def store(home: Path) -> ModelStore:
    """The whole catalogue, pulled once and kept between runs."""
    store = ModelStore(Settings(home=home).models_dir)
    pull([entry.name for entry in CATALOGUE], store)
    return store


@pytest.fixture(scope="session")
def faces(pictures: dict[str, Path]) -> list[np.ndarray]:
    """Square cuts of the demo's photographs, uint8 BGR."""
    cuts = []
    for key, (x, y, side) in FACES.items():
        image = read_shrunk(pictures[key])
        half = side // 2
        cuts.append(image[y - half : y + half, x - half : x + half])
    return cuts


@pytest.fixture(scope="session")
def scene(pictures: dict[str, Path]) -> np.ndarray:
    """A photograph with a face, uint8 BGR (1, 512, 512, 3)."""
    return read_shrunk(pictures["collins"])[None]


def chips_of(faces: list[np.ndarray], side: int) -> np.ndarray:
    return np.stack([cv2.resize(face, (side, side)) for face in faces])
