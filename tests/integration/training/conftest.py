"""Small training data made without anybody's pictures, and without a detector."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from facerec.models.catalogue import ARCFACE_ALIGNMENT
from facerec.training.record_file import ChipReader, ChipWriter, DataDescription

PEOPLE, PICTURES = 24, 4


@pytest.fixture(scope="session")
def chips(tmp_path_factory) -> ChipReader:
    """Prepared data: 24 patterns for people, four noisy pictures of each."""
    folder = tmp_path_factory.mktemp("training") / "data"
    folder.mkdir()
    writer, random = ChipWriter(folder), np.random.default_rng(0)
    for person in range(PEOPLE):
        coarse = random.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        face = cv2.resize(coarse, (112, 112), interpolation=cv2.INTER_CUBIC).astype(int)
        for number in range(PICTURES):
            noisy = np.clip(face + random.integers(-60, 61, face.shape), 0, 255).astype(np.uint8)
            embedding = np.eye(PEOPLE, dtype=np.float32)[person]
            writer.add(noisy, person, f"p{person}/{number}.png", embedding)
    everything = np.ones(PEOPLE * PICTURES, bool)
    about = DataDescription("none 0", "none", ARCFACE_ALIGNMENT, "made by a test", "patterns")
    writer.finish([f"p{person}" for person in range(PEOPLE)], everything, about)
    return ChipReader(Path(folder))
