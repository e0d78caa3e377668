"""Training on JAX: the loss falls, and the package works in the LiteRT of this process."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from facerec.inference.litert_session import LiteRtSession
from facerec.models.import_network import import_package
from facerec.models.store import LITERT_FILE, ModelStore
from facerec.training.augmentation import resized
from facerec.training.record_file import ChipReader
from tests.e2e.conftest import COMMAND

SMALL = (
    "network=iresnet18-quarter", "chip_size_px=32", "embedding_size=24", "loss=arcface",
    "scale=16.0", "margin=0.1", "optimizer=adamw", "learning_rate=0.003", "epochs=2",
    "steps_per_epoch=8", "batch_size=16", "held_out_share=0.25", "averaging=0.8",
)  # fmt: skip


def train(*arguments: object) -> dict:
    done = subprocess.run(
        [COMMAND, "train", *map(str, arguments), "--json"],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_jax_trains_and_its_package_is_taken(chips: ChipReader, tmp_path: Path) -> None:
    run, package = tmp_path / "run", tmp_path / "jax.facerec"
    settings = [part for entry in SMALL for part in ("--set", entry)]
    train("run", chips.folder, "--output", run, *settings, "--home", tmp_path / "home")
    epochs = [json.loads(line) for line in (run / "epochs.jsonl").read_text().splitlines()]
    assert epochs[1]["loss"] < epochs[0]["loss"]
    versions = json.loads((run / "run.json").read_text())["identity"]["versions"]
    assert versions["backend"].startswith("jax ")
    judged = train("evaluate", run, "--home", tmp_path / "home")
    train("package", run, "--name", "jax", "--output", package, "--home", tmp_path / "home")
    store = ModelStore(tmp_path / "home" / "models")
    manifest = import_package(package, store)
    assert manifest.embedding_size == 24
    session = LiteRtSession(store.file("jax", LITERT_FILE), 2)
    two = session.run(np.stack([resized(chips.chip(row), 32) for row in (0, 1)]))
    assert two.shape == (2, 24) and np.isfinite(two).all()
    assert judged["eer"] < 0.5
