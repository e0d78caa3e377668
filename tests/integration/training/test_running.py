"""The loop: learns, stops and goes on bit for bit, refuses what has changed."""

import json
import os
import resource
import shutil
import signal
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from facerec.errors import TrainingError
from facerec.training.augmentation import Augmentation
from facerec.training.curves import EpochRecord
from facerec.training.record_file import ChipReader
from facerec.training.run_folder import RunFolder
from facerec.training.run_network import best_network
from facerec.training.running import begin_run, go_on, held_out
from facerec.training.settings import TrainingSettings
from facerec.training.views import Teacher
from facerec.training.whole_files import load_arrays, save_arrays

# Keras' own variables do not know NumPy 2's copy keyword yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SETTINGS = TrainingSettings(
    network="iresnet18-quarter",
    chip_size_px=32,
    embedding_size=24,
    loss="cosface",
    scale=16.0,
    margin=0.2,
    optimizer="adamw",
    learning_rate=0.003,
    epochs=2,
    steps_per_epoch=6,
    batch_size=16,
    held_out_share=0.25,
    averaging=0.8,
    seed=3,
    augmentation=Augmentation(occlusion=0.0),
)


class Watching:
    """Counts steps; may stop the run at one of them, as a crash would."""

    def __init__(self, stop_at: int = 0) -> None:
        self.steps = 0
        self.epochs: list[EpochRecord] = []
        self._stop_at = stop_at

    def step(self, done: int, total: int) -> None:
        self.steps += 1
        if done == self._stop_at:
            raise KeyboardInterrupt

    def epoch(self, record: EpochRecord, epochs: int) -> None:
        self.epochs.append(record)


@pytest.fixture(scope="module")
def whole(chips: ChipReader, tmp_path_factory) -> RunFolder:
    """A run that nothing stopped."""
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "whole")
    begin_run(folder, chips, SETTINGS)
    go_on(folder, chips, Watching())
    return folder


def curve(folder: RunFolder) -> list[EpochRecord]:
    return [replace(record, seconds=0.0) for record in folder.epochs()]


def test_a_run_that_is_stopped_goes_on_bit_for_bit(chips, whole: RunFolder, tmp_path) -> None:
    folder = RunFolder(tmp_path / "stopped")
    begin_run(folder, chips, SETTINGS)
    with pytest.raises(KeyboardInterrupt):
        go_on(folder, chips, Watching(stop_at=9))
    assert load_arrays(folder.checkpoint)[1]["epoch"] == 1
    watching = Watching()
    go_on(folder, chips, watching)
    assert watching.steps == 6  # the second epoch alone
    ours, theirs = (load_arrays(f.checkpoint)[0] for f in (folder, whole))
    assert len(ours) == len(theirs) > 100
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert curve(folder) == curve(whole)
    assert go_on(folder, chips, Watching(stop_at=1)) == folder.best()[1]  # nothing left to do


def test_the_loss_falls_and_strangers_are_told_apart(whole: RunFolder, chips) -> None:
    first, last = whole.epochs()
    assert last.loss < 0.8 * first.loss
    assert last.eer < 0.2
    assert last.learning_rate == pytest.approx(0, abs=1e-9)
    record = whole.record
    assert record["people"] == {"learned": 18, "held_out": 6}
    versions = record["identity"]["versions"]
    assert versions["backend"].startswith("tensorflow")
    assert set(versions) == {"facerec", "python", "numpy", "opencv", "keras", "backend"}
    assert (whole.path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_best_weights_are_averaged_ones(whole: RunFolder) -> None:
    network = best_network(whole, None)
    averaged = network.get_weights()
    raw = load_arrays(whole.checkpoint)[0]
    stem = next(a for a in raw if a.shape == averaged[0].shape)
    assert not np.array_equal(stem, averaged[0])
    # The average lags behind the last weights, and not by much.
    assert np.abs(stem - averaged[0]).max() < 0.05


def test_tensorboard_can_read_the_events(whole: RunFolder) -> None:
    (path,) = (whole.path / "tensorboard").iterdir()
    found = {}
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():  # checks checksums
        event = tf.compat.v1.Event.FromString(record)
        for value in event.summary.value:
            found[event.step, value.tag] = value.simple_value
    for epoch in whole.epochs():
        assert found[epoch.epoch, "loss"] == struct.unpack("f", struct.pack("f", epoch.loss))[0]
        assert found[epoch.epoch, "eer"] == pytest.approx(epoch.eer)


def test_changed_settings_are_named(whole: RunFolder, chips: ChipReader, tmp_path: Path) -> None:
    path = whole.path / "run.json"
    before = path.read_text()
    record = json.loads(before)
    record["identity"]["settings"]["learning_rate"] = 0.5
    record["identity"]["settings"]["augmentation"]["blur"] = 0.9
    path.write_text(json.dumps(record))
    try:
        with pytest.raises(TrainingError, match=r"augmentation.blur: was 0.15, is 0.9") as raised:
            go_on(whole, chips, Watching())
        assert "settings.learning_rate: was 0.003, is 0.5" in str(raised.value)
    finally:
        path.write_text(before)


def test_other_data_and_another_process_are_refused(whole, chips, monkeypatch) -> None:
    teacher = Teacher("other-space", np.zeros((len(chips), 1, 24), np.float32))
    with pytest.raises(TrainingError, match='teacher: was "", is "other-space"'):
        go_on(whole, chips, Watching(), teacher=teacher)
    with whole.held(), pytest.raises(TrainingError, match="another process works on"):
        go_on(whole, chips, Watching())
    with pytest.raises(TrainingError, match="holds a run already"):
        begin_run(whole, chips, SETTINGS)


@pytest.mark.slow
def test_data_that_is_damaged_while_a_run_goes_on_is_named(chips, tmp_path: Path) -> None:
    """Keras hands batches to TensorFlow, which makes an error of its own of what they raise."""
    data = tmp_path / "data"
    shutil.copytree(chips.folder, data)
    reader, folder = ChipReader(data), RunFolder(tmp_path / "run")
    begin_run(folder, reader, SETTINGS)

    class Cutting(Watching):
        def step(self, done: int, total: int) -> None:
            os.truncate(data / "shard-00000.chips", 100)

    with pytest.raises(TrainingError, match=r"shard-00000.chips was cut off or changed"):
        go_on(folder, reader, Cutting())


def test_data_that_was_made_anew_is_refused(chips, tmp_path: Path) -> None:
    """Whom a run held out follows from its data: of other data, it may have learned from them."""
    data = tmp_path / "data"
    shutil.copytree(chips.folder, data)
    folder = RunFolder(tmp_path / "run")
    begin_run(folder, ChipReader(data), SETTINGS)
    assert folder.data().description == chips.description
    about = json.loads((data / "data.json").read_text())
    about["files"][0][1] = "0" * 64
    (data / "data.json").write_text(json.dumps(about))
    with pytest.raises(TrainingError, match="has been made anew since"):
        folder.data()


def test_a_full_disk_leaves_the_checkpoint_before_whole(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    save_arrays(path, [np.arange(10)], {"epoch": 1})
    before = path.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limit[1]))
    try:
        with pytest.raises(TrainingError, match="make room and go on with: facerec train resume"):
            save_arrays(path, [np.random.default_rng(0).random(100_000)], {"epoch": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.npz"]


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    save_arrays(path, [np.arange(1000)], {})
    content = bytearray(path.read_bytes())
    content[300] ^= 1
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"checkpoint.npz is damaged"):
        load_arrays(path)


@pytest.mark.slow
def test_a_student_comes_near_its_teacher_and_stops_when_it_gets_no_better(chips, tmp_path) -> None:
    settings = replace(
        SETTINGS,
        loss="none",
        teacher="patterns",
        cosine_weight=1.0,
        relational_weight=0.5,
        epochs=4,
        patience=1,
    )
    with pytest.raises(TrainingError, match="embedding_size to 9"):
        wrong = Teacher("patterns", np.zeros((len(chips), 1, 9), np.float32))
        begin_run(RunFolder(tmp_path / "wrong"), chips, settings, teacher=wrong)
    folder = RunFolder(tmp_path / "student")
    teacher = Teacher("patterns", chips.embeddings[:, None])
    begin_run(folder, chips, settings, teacher=teacher)
    go_on(folder, chips, Watching(), teacher=teacher)
    records = folder.epochs()
    assert records[-1].loss < records[0].loss
    best = min(records, key=lambda record: record.eer)
    assert len(records) == 4 or len(records) == best.epoch + 1
    assert len(held_out(chips, settings)) == 24
