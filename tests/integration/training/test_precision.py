"""Half precision: layers compute in it, the loss falls, and what is kept is float32."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from facerec.inference.litert_session import LiteRtSession
from facerec.models.import_network import import_package
from facerec.models.store import LITERT_FILE, ModelStore
from facerec.training.augmentation import Augmentation, resized
from facerec.training.evaluating import embed_people
from facerec.training.packaging import PackageStatement, package
from facerec.training.record_file import ChipReader
from facerec.training.run_folder import RunFolder
from facerec.training.run_network import best_network, build_network, precision_of
from facerec.training.running import begin_run, go_on, held_out
from facerec.training.settings import TrainingSettings
from facerec.training.views import Teacher
from facerec.training.whole_files import load_arrays
from tests.integration.training.test_running import Watching

# Keras' own variables do not know NumPy 2's copy keyword yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SETTINGS = TrainingSettings(
    network="iresnet18-quarter",
    chip_size_px=32,
    embedding_size=24,
    loss="cosface",
    scale=16.0,
    margin=0.2,
    teacher="patterns",
    cosine_weight=1.0,
    relational_weight=0.5,
    optimizer="adamw",
    learning_rate=0.003,
    epochs=2,
    steps_per_epoch=6,
    batch_size=16,
    held_out_share=0.25,
    averaging=0.8,
    augmentation=Augmentation(occlusion=0.0),
)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_learns_and_keeps_whole_numbers(
    chips: ChipReader, tmp_path: Path, precision: str
) -> None:
    settings = replace(SETTINGS, precision=precision)
    folder = RunFolder(tmp_path / "run")
    teacher = Teacher("patterns", chips.embeddings[:, None])
    begin_run(folder, chips, settings, teacher=teacher)
    go_on(folder, chips, Watching(), teacher=teacher)
    first, last = folder.epochs()
    assert last.loss < 0.9 * first.loss and last.eer < 0.3
    kept = [a for a in load_arrays(folder.checkpoint)[0] if a.dtype.kind == "f"]
    assert len(kept) > 100 and {a.dtype for a in kept} == {np.dtype(np.float32)}
    with precision_of(precision):
        layers = [layer for layer in build_network(settings, None).layers if layer.weights]
    assert {layer.compute_dtype for layer in layers} == {precision.removeprefix("mixed_")}
    assert keras.config.dtype_policy().name == "float32"  # as it was found

    network = best_network(folder, None)
    people = embed_people(network.predict_on_batch, 32, chips, held_out(chips, settings))
    statement = PackageStatement("half", "LicenseRef-test", "a test", "2026-01-01")
    path = tmp_path / "half.facerec"
    package(network, chips.description, people, folder.record, statement, path)
    store = ModelStore(tmp_path / "models")
    import_package(path, store)  # refuses what differs from the Keras form
    two = np.stack([resized(chips.chip(row), 32) for row in (0, 1)])
    served = LiteRtSession(store.file("half", LITERT_FILE), 1).run(two)
    np.testing.assert_allclose(served, network.predict_on_batch(two), atol=2e-3)
