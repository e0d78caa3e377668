"""A run from settings and data to averaged weights: Keras' own ``fit``, kept after every epoch."""

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from facerec.errors import TrainingError
from facerec.models.initialization import initialise
from facerec.models.trainable import build_embedder, multiply_adds
from facerec.training.batches import Batches, unchanged
from facerec.training.checkpoint import load_checkpoint, save_checkpoint
from facerec.training.curves import EpochRecord
from facerec.training.freezing import freeze_all_but
from facerec.training.judging import Verdict, embed_chips, judge
from facerec.training.record_file import ChipReader
from facerec.training.run_folder import RunFolder
from facerec.training.sampling import Sampler, split_people
from facerec.training.settings import TrainingSettings, differences, settings_to_json
from facerec.training.trainee import Trainee, optimizer_of
from facerec.training.views import Teacher, views_of
from facerec.training.whole_files import load_arrays

__all__ = [
    "Observer", "begin_run", "best_network", "build_network", "go_on", "held_out",
    "is_compiled_whole", "learned_from", "precision_of", "steps_of", "versions",
]  # fmt: skip

MOST_JUDGED = 4000
"""Pictures of people held out that are judged on each epoch at most: 8 million comparisons."""


class Observer(Protocol):
    """Is told how a run gets on."""

    def step(self, done: int, total: int) -> None:
        """Take note that `done` of `total` steps of the whole run are done."""

    def epoch(self, record: EpochRecord, epochs: int) -> None:
        """Take note of an epoch, of so many, that has ended."""


@dataclass(frozen=True, eq=False)
class Parts:
    """What a run works with.

    Attributes:
        reader: The data.
        settings: The settings.
        learned: Rows learned from.
        judged: Rows of people held out.
        start: File of the installed network that is adapted; None for random weights.
        teacher: None without one.
    """

    reader: ChipReader
    settings: TrainingSettings
    learned: NDArray[np.intp]
    judged: NDArray[np.intp]
    start: Path | None
    teacher: Teacher | None


def held_out(reader: ChipReader, settings: TrainingSettings) -> NDArray[np.intp]:
    """Return the rows of the people that a run never learns from."""
    return split_people(reader.people, settings.held_out_share, settings.seed)[1]


def learned_from(reader: ChipReader, settings: TrainingSettings) -> NDArray[np.intp]:
    """Return the rows that a run learns from."""
    return split_people(reader.people, settings.held_out_share, settings.seed)[0]


def steps_of(reader: ChipReader, settings: TrainingSettings) -> int:
    """Return the steps of an epoch."""
    people = reader.people[learned_from(reader, settings)]
    people = np.unique(people, return_inverse=True)[1].astype(np.int32)
    sampler = Sampler(people, settings.batch_size, settings.per_person, settings.seed)
    return settings.steps_per_epoch or sampler.steps_a_pass


def best_network(folder: RunFolder, start: Path | None) -> keras.Model:
    """Build the embedder of a run, in float32, with the averaged weights of its best epoch.

    Raises:
        TrainingError: no epoch has ended yet, or the file is damaged.
    """
    network = build_network(folder.settings, start)
    network.jit_compile = is_compiled_whole()
    weights, _ = folder.best()
    if [w.shape for w in weights] != [tuple(w.shape) for w in network.weights]:
        raise TrainingError(f"{folder.path}/best.npz is of another network; begin the run again")
    network.set_weights(weights)
    return network


def versions() -> dict[str, str]:
    """Return the versions of what computes: Python, NumPy, Keras, its backend."""
    backend = keras.backend.backend()
    module = __import__(backend)
    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "numpy": np.__version__,
        "keras": keras.__version__,
        "backend": f"{backend} {module.__version__}",
    }


def begin_run(
    folder: RunFolder,
    reader: ChipReader,
    settings: TrainingSettings,
    *,
    start: Path | None = None,
    start_space: str = "",
    teacher: Teacher | None = None,
) -> None:
    """Write what a run is to do, after everything that can be wrong with it has been looked at.

    Raises:
        TrainingError: the data, the settings or the folder do not fit.
        ModelError: the network cannot be built so.
    """
    learned, judged = split_people(reader.people, settings.held_out_share, settings.seed)
    network = build_network(settings, start)
    if teacher is not None and settings.cosine_weight:
        _check_teacher(network, teacher)
    if int(network.input_shape[1]) != settings.chip_size_px:
        raise TrainingError(
            f"the network takes chips of {network.input_shape[1]} pixels: set chip_size_px to it"
        )
    size = int(np.unique(reader.people[learned]).size)
    folder.begin(
        {
            "identity": _identity(reader, settings, start_space, teacher),
            "data_folder": str(reader.folder.resolve()),
            "people": {"learned": size, "held_out": int(np.unique(reader.people[judged]).size)},
            "pictures": {"learned": len(learned), "held_out": len(judged)},
            "network": {
                "parameters": int(network.count_params()),
                "multiply_adds": multiply_adds(network),
                "embedding_size": int(network.output.shape[-1]),
            },
        }
    )


def go_on(
    folder: RunFolder,
    reader: ChipReader,
    observer: Observer,
    *,
    start: Path | None = None,
    start_space: str = "",
    teacher: Teacher | None = None,
) -> EpochRecord:
    """Train from the last checkpoint, or from the beginning, to the end.

    Returns:
        What came of the best epoch, whose averaged weights are kept.

    Raises:
        TrainingError: the run was told something else before (it is named), the data is damaged,
            the loss is no number any more, or the disk is full.
    """
    settings = folder.settings
    now = _identity(reader, settings, start_space, teacher)
    _check_same("the run's folder was made", folder.record["identity"], now)
    learned, judged = split_people(reader.people, settings.held_out_share, settings.seed)
    parts = Parts(reader, settings, learned, judged[:MOST_JUDGED], start, teacher)
    keras.utils.set_random_seed(settings.seed)
    with folder.held(), precision_of(settings.precision):
        batches = _batches(parts)
        steps = settings.steps_per_epoch or batches.sampler.steps_a_pass
        trainee = _trainee(parts, batches, steps)
        first = 0
        if folder.checkpoint.exists():
            state = load_arrays(folder.checkpoint)[1]
            _check_same("the checkpoint was written", state["identity"], now)
            load_checkpoint(folder.checkpoint, trainee)
            first = int(state["epoch"])
            folder_epochs = folder.epochs()[:first]
        else:
            folder_epochs = ()
        keeper = _Keeper(folder, parts, now, list(folder_epochs), steps, observer)
        if first < settings.epochs and not keeper.has_had_enough:
            trainee.fit(
                batches.endless(first * steps),
                initial_epoch=first,
                epochs=settings.epochs,
                steps_per_epoch=steps,
                callbacks=[keeper],
                shuffle=False,
                verbose=0,
            )
    return folder.best()[1]


def build_network(settings: TrainingSettings, start: Path | None) -> keras.Model:
    """Build the embedder with its first weights.

    Args:
        settings: Which one.
        start: ``model.keras`` of the installed network that is adapted; None to begin anew.
    """
    if start is None:
        network = build_embedder(settings.network, settings.embedding_size, settings.chip_size_px)
        initialise(network, settings.seed)
        return network
    network = keras.saving.load_model(start, compile=False)
    freeze_all_but(network, settings.depth)
    return network


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """Judges, keeps and tells after every epoch."""

    def __init__(
        self,
        folder: RunFolder,
        parts: Parts,
        identity: dict[str, Any],
        records: list[EpochRecord],
        steps: int,
        observer: Observer,
    ) -> None:
        super().__init__()
        self._folder, self._parts, self._identity = folder, parts, identity
        self._records, self._steps, self._observer = records, steps, observer
        self._epoch = len(records)
        self._began = time.monotonic()

    @property
    def has_had_enough(self) -> bool:
        """Whether the score has not become better for as long as the settings wait."""
        patience = self._parts.settings.patience
        if not patience or not self._records:
            return False
        best = min(self._records, key=lambda record: record.eer)
        return len(self._records) - best.epoch >= patience

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch, self._began = epoch, time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        settings = self._parts.settings
        done = self._epoch * self._steps + batch + 1
        self._observer.step(done, settings.epochs * self._steps)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        loss = float((logs or {}).get("loss", math.nan))
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss of epoch {epoch + 1} is {loss}: lower learning_rate, raise "
                "warmup_epochs or lower clip_norm, and begin again"
            )
        with _averaged(self.model):
            verdict = self._judged()
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
        self._observer.epoch(record, self._parts.settings.epochs)
        self.model.stop_training = self.has_had_enough

    def _judged(self) -> Verdict:
        parts = self._parts
        side = self.model.embedder.input_shape[1]
        embeddings = embed_chips(
            self.model.embedder.predict_on_batch,
            lambda rows: unchanged(parts.reader.chip, rows, side),
            parts.judged,
        )
        return judge(embeddings, parts.reader.people[parts.judged])

    def _keep(self, record: EpochRecord, weights: list[NDArray[np.float32]]) -> None:
        """Write best weights, curve and checkpoint; only the last makes the epoch count."""
        if all(record.eer <= earlier.eer for earlier in self._records):
            self._folder.keep_best(weights, record)
        self._records.append(record)
        title = f"{self.model.embedder.name}, {self._parts.settings.loss} loss"
        if self._parts.teacher is not None:
            title += ", with a teacher"
        self._folder.keep_epochs(tuple(self._records), title, time.time())
        state = {"epoch": record.epoch, "identity": self._identity}
        save_checkpoint(self._folder.checkpoint, self.model, state)


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


@contextmanager
def precision_of(precision: str) -> Iterator[None]:
    """Let layers that are made meanwhile compute in a precision; their weights stay float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _batches(parts: Parts) -> Batches:
    settings, rows = parts.settings, parts.learned
    people = np.unique(parts.reader.people[rows], return_inverse=True)[1].astype(np.int32)
    return Batches(
        lambda row: parts.reader.chip(int(rows[row])),
        people,
        Sampler(people, settings.batch_size, settings.per_person, settings.seed),
        settings.augmentation,
        settings.chip_size_px,
        None if parts.teacher is None else parts.teacher.embeddings[rows],
        views_of(parts.reader, settings) if settings.teacher_views else None,
    )


def _trainee(parts: Parts, batches: Batches, steps: int) -> Trainee:
    """Build and compile, all variables made."""
    network = build_network(parts.settings, parts.start)
    network.jit_compile = is_compiled_whole()
    trainee = Trainee(network, parts.settings, int(batches.people.max()) + 1)
    trainee.compile(optimizer=optimizer_of(parts.settings, steps), jit_compile=is_compiled_whole())
    trainee({name: value[:2] for name, value in batches.batch(0).items()}, training=False)
    trainee.optimizer.build(trainee.trainable_variables)
    return trainee


def is_compiled_whole() -> bool:
    """Tell whether a step is compiled by XLA as a whole.

    JAX has nothing else. TensorFlow on a CPU is four times as fast without (measured: MobileFaceNet
    at 64 pixels, 31 against 7 pictures a second).
    """
    return bool(keras.backend.backend() == "jax")


def _identity(
    reader: ChipReader, settings: TrainingSettings, start_space: str, teacher: Teacher | None
) -> dict[str, Any]:
    """Return all that must stay the same for a run to go on as if it had never stopped."""
    return {
        "settings": settings_to_json(settings),
        "data": reader.description.hash,
        "start": start_space,
        "teacher": "" if teacher is None else teacher.space,
        "versions": versions(),
    }


def _check_same(when: str, before: dict[str, Any], now: dict[str, Any]) -> None:
    changed = differences(before, now)
    if changed:
        raise TrainingError(
            f"the run cannot go on, for since {when} this has changed: {'; '.join(changed)}; put "
            "it back, or begin a new run"
        )


def _check_teacher(network: keras.Model, teacher: Teacher) -> None:
    size, taught = int(network.output.shape[-1]), teacher.embeddings.shape[-1]
    if size != taught:
        raise TrainingError(
            f"the teacher's embeddings have {taught} numbers, the network's {size}: set "
            f"embedding_size to {taught}, or learn relations only"
        )
