"""The folder of a run: what it was told, what it learned, and who is at it."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facerec.errors import TrainingError
from facerec.training.curves import EpochRecord, curves_png
from facerec.training.record_file import ChipReader
from facerec.training.settings import TrainingSettings, settings_from
from facerec.training.tensorboard_file import append_scalars
from facerec.training.whole_files import GO_ON, load_arrays, save_arrays, written_whole

__all__ = ["RunFolder"]

RUN_FILE = "run.json"
EPOCHS_FILE = "epochs.jsonl"
CURVES_FILE = "curves.png"
EVENTS_FILE = "tensorboard/events.out.tfevents.facerec"


class RunFolder:
    """Reads and writes the files of a run; imports no Keras.

    ``run.json`` holds settings, data hash, versions and seed; ``epochs.jsonl`` a line an epoch;
    ``curves.png`` and ``tensorboard/`` show it; ``checkpoint.npz`` is what it goes on from;
    ``best.npz`` the averaged weights of its best epoch.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def checkpoint(self) -> Path:
        """What the run goes on from."""
        return self.path / "checkpoint.npz"

    @property
    def record(self) -> dict[str, Any]:
        """What the run was told.

        Raises:
            TrainingError: the folder is not that of a run, or its file is damaged.
        """
        path = self.path / RUN_FILE
        if not path.is_file():
            raise TrainingError(
                f"{self.path} is not the folder of a run; begin one with: facerec train run"
            )
        try:
            record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TrainingError(f"{path} cannot be read; begin the run again") from error
        return record

    @property
    def settings(self) -> TrainingSettings:
        """The settings of the run."""
        return settings_from(self.record["identity"]["settings"])

    def data(self) -> ChipReader:
        """Open the data that the run learns from: whom it holds out follows from it.

        Raises:
            TrainingError: the data is gone, or is other data by now.
        """
        record = self.record
        reader = ChipReader(Path(record["data_folder"]))
        if reader.description.hash != record["identity"]["data"]:
            raise TrainingError(
                f"the data in {reader.folder} has been made anew since {self.path} learned from "
                "it, so whom that run held out is not known; put the data back, or begin a new run"
            )
        return reader

    def refuse_used(self) -> None:
        """Refuse a folder that holds a run: asked before anything long is done for a new one.

        Raises:
            TrainingError: it does.
        """
        if (self.path / RUN_FILE).exists():
            raise TrainingError(
                f"{self.path} holds a run already; go on with: facerec train resume {self.path}, "
                "or give another --output"
            )

    def begin(self, record: Mapping[str, Any]) -> None:
        """Make the folder.

        Raises:
            TrainingError: there is one already, or it cannot be made.
        """
        self.refuse_used()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"{self.path} cannot be made: {error.strerror}") from error
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        with written_whole(self.path / RUN_FILE) as opened:
            opened.write(text.encode())

    def epochs(self) -> tuple[EpochRecord, ...]:
        """Return what came of each epoch so far."""
        path = self.path / EPOCHS_FILE
        if not path.is_file():
            return ()
        lines = path.read_text(encoding="utf-8").splitlines()
        return tuple(EpochRecord(**json.loads(line)) for line in lines)

    def keep_epochs(self, records: tuple[EpochRecord, ...], title: str, unix_s: float) -> None:
        """Write the epochs so far, their curves, and the last one for TensorBoard."""
        lines = "".join(json.dumps(asdict(record)) + "\n" for record in records)
        with written_whole(self.path / EPOCHS_FILE, GO_ON) as opened:
            opened.write(lines.encode())
        with written_whole(self.path / CURVES_FILE, GO_ON) as opened:
            opened.write(curves_png(records, title))
        values = asdict(records[-1])
        step = values.pop("epoch")
        append_scalars(self.path / EVENTS_FILE, values, step, unix_s)

    def keep_best(self, weights: list[NDArray[np.float32]], epoch: EpochRecord) -> None:
        """Keep the weights of the best epoch so far."""
        save_arrays(self.path / "best.npz", weights, asdict(epoch))

    def best(self) -> tuple[list[NDArray[np.float32]], EpochRecord]:
        """Return the weights of the best epoch and what came of it.

        Raises:
            TrainingError: no epoch has ended yet, or the file is damaged.
        """
        weights, state = load_arrays(self.path / "best.npz")
        return weights, EpochRecord(**state)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other process from working on the run.

        Raises:
            TrainingError: another one does.
        """
        if not self.path.is_dir():
            raise TrainingError(
                f"{self.path} is not the folder of a run; begin one with: facerec train run"
            )
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise TrainingError(f"another process works on {self.path}; wait for it") from error
            yield
        finally:
            os.close(descriptor)
