"""The folder that holds all state."""

import stat
from pathlib import Path

import pytest

from facerec.assembly import open_gallery
from facerec.models.store import ModelStore
from facerec.settings import Settings, load_settings


def make_models(settings: Settings) -> None:
    ModelStore(settings.models_dir).make()


def make_gallery(settings: Settings) -> None:
    open_gallery(settings).close()


@pytest.mark.parametrize("first", [make_models, make_gallery])
def test_a_home_that_is_made_is_its_owners_alone(tmp_path: Path, first: object) -> None:
    assert callable(first)
    settings = load_settings(tmp_path / "deep" / "home")
    first(settings)
    make_models(settings)
    make_gallery(settings)
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700
    assert stat.S_IMODE(settings.database_path.stat().st_mode) == 0o600


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    settings = load_settings(tmp_path)
    make_models(settings)
    make_gallery(settings)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
