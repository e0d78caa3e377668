"""The network that an adapted run began with must be the one that is installed."""

import json
from pathlib import Path

import pytest

from facerec.cli.train_setup import start_of
from facerec.errors import TrainingError
from facerec.inference import ModelTask
from facerec.models.store import KERAS_FILE, ModelStore
from facerec.settings import Settings
from facerec.training.run_folder import RunFolder
from facerec.training.settings import TrainingSettings, settings_to_json


@pytest.mark.parametrize("same", [True, False])
def test_another_network_by_the_name_of_the_start_is_refused(
    home: Path, tmp_path: Path, same: bool
) -> None:
    settings = Settings(home=home)
    store = ModelStore(settings.models_dir)
    installed = store.require("sface", ModelTask.EMBEDDER)
    space = installed.embedding_space if same else "sface-of-old"
    chosen = settings_to_json(TrainingSettings(network="sface", start="sface"))
    record = {"identity": {"settings": chosen, "start": space}}
    (tmp_path / "run.json").write_text(json.dumps(record))
    if same:
        assert start_of(settings, RunFolder(tmp_path)) == store.file("sface", KERAS_FILE)
    else:
        with pytest.raises(TrainingError, match="began with sface of the embedding space sface-of"):
            start_of(settings, RunFolder(tmp_path))
