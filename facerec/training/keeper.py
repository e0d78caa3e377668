"""What happens after every epoch of a run: it is judged, kept and told."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from facerec.errors import TrainingError
from facerec.training.checkpoint import save_checkpoint
from facerec.training.curves import EpochRecord
from facerec.training.judging import Verdict
from facerec.training.run_folder import RunFolder
from facerec.training.settings import TrainingSettings

__all__ = ["Keeper", "Observer"]


class Observer(Protocol):
    """Is told how a run gets on."""

    def step(self, done: int, total: int) -> None:
        """Take note that `done` of `total` steps of the whole run are done."""

    def epoch(self, record: EpochRecord, epochs: int) -> None:
        """Take note of an epoch, of so many, that has ended."""


class Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """Judges, keeps and tells after every epoch.

    Args:
        folder: Of the run.
        settings: Of the run.
        judged: Judges an embedder on the people held out.
        identity: What must be the same when the run goes on.
        records: Epochs that have ended.
        steps: Steps of an epoch.
        observer: Is told.
    """

    def __init__(
        self,
        folder: RunFolder,
        settings: TrainingSettings,
        judged: Callable[[keras.Model], Verdict],
        identity: dict[str, Any],
        records: tuple[EpochRecord, ...],
        steps: int,
        observer: Observer,
    ) -> None:
        super().__init__()
        self._folder, self._settings, self._judged = folder, settings, judged
        self._identity, self._observer = identity, observer
        self._records, self._steps = list(records), steps
        self._epoch = len(records)
        self._began = time.monotonic()

    @property
    def has_had_enough(self) -> bool:
        """Whether the score has not become better for as long as the settings wait."""
        patience = self._settings.patience
        if not patience or not self._records:
            return False
        best = min(self._records, key=lambda record: record.eer)
        return len(self._records) - best.epoch >= patience

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begin to count the seconds of an epoch."""
        self._epoch, self._began = epoch, time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell that one more step is done."""
        done = self._epoch * self._steps + batch + 1
        self._observer.step(done, self._settings.epochs * self._steps)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Judge the averaged weights, keep everything and tell.

        Raises:
            TrainingError: the loss is no number any more, or the disk is full.
        """
        loss = float((logs or {}).get("loss", math.nan))
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss of epoch {epoch + 1} is {loss}: lower learning_rate, raise "
                "warmup_epochs or lower clip_norm, and begin again"
            )
        with _averaged(self.model):
            verdict = self._judged(self.model.embedder)
            weights = self.model.embedder.get_weights()
        record = EpochRecord(
            epoch + 1,
            loss,
            verdict.eer,
            verdict.tar,
            float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)),
            time.monotonic() - self._began,
        )
        self._keep(record, weights)
        self._observer.epoch(record, self._settings.epochs)
        self.model.stop_training = self.has_had_enough

    def _keep(self, record: EpochRecord, weights: list[NDArray[np.float32]]) -> None:
        """Write best weights, curve and checkpoint; only the last makes the epoch count."""
        if all(record.eer <= earlier.eer for earlier in self._records):
            self._folder.keep_best(weights, record)
        self._records.append(record)
        self._folder.keep_epochs(tuple(self._records), _title(self._settings), time.time())
        state = {"epoch": record.epoch, "identity": self._identity}
        save_checkpoint(self._folder.checkpoint, self.model, state)


def _title(settings: TrainingSettings) -> str:
    """Say in words what the curves are of."""
    learned = [] if settings.loss == "none" else [f"labels by {settings.loss}"]
    taught = [f"imitating {settings.teacher}"] if settings.teacher else []
    return ", ".join([settings.network, *learned, *taught])


@contextmanager
def _averaged(trainee: keras.Model) -> Iterator[None]:
    """Give the network its averaged weights for a while."""
    variables = trainee.trainable_variables
    kept = [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]
    trainee.optimizer.finalize_variable_values(variables)
    for variable in variables:
        # A copy: JAX would share the average's memory, which prediction takes over and frees.
        variable.assign(np.array(keras.ops.convert_to_numpy(variable)))
    try:
        yield
    finally:
        for variable, value in zip(variables, kept, strict=True):
            variable.assign(value)
