"""Networks and faces that the tests of the analysis share."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.analysis.detection import YuNetDetector
from facerec.analysis.embedding import NetworkEmbedder
from facerec.analysis.image_decoding import read_image
from facerec.inference import ModelTask
from facerec.inference.litert_session import LiteRtSession
from facerec.models.store import LITERT_FILE, ModelStore
from facerec.settings import Settings


@pytest.fixture(scope="session")
def store(home: Path) -> ModelStore:
    return ModelStore(Settings(home=home).models_dir)


@pytest.fixture(scope="session")
def yunet_session(store: ModelStore) -> LiteRtSession:
    return LiteRtSession(store.file("yunet", LITERT_FILE), 2)


@pytest.fixture(scope="session")
def detector(yunet_session: LiteRtSession) -> YuNetDetector:
    return YuNetDetector(yunet_session)


@pytest.fixture(scope="session")
def embedder(store: ModelStore) -> NetworkEmbedder:
    session = LiteRtSession(store.file("sface", LITERT_FILE), 2)
    return NetworkEmbedder(session, store.require("sface", ModelTask.EMBEDDER))


@pytest.fixture(scope="session")
def photographs(pictures: dict[str, Path]) -> dict[str, NDArray[np.uint8]]:
    """The demo's photographs, uint8 BGR."""
    return {key: read_image(path, max_pixels=50_000_000) for key, path in pictures.items()}
