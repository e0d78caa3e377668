"""A run from settings and data to averaged weights: Keras' own ``fit``, kept after every epoch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from facerec.errors import TrainingError
from facerec.models.trainable import multiply_adds
from facerec.training.batches import Batches, for_fit, unchanged
from facerec.training.checkpoint import load_checkpoint
from facerec.training.curves import EpochRecord
from facerec.training.judging import Verdict, embed_chips, judge
from facerec.training.keeper import Keeper, Observer
from facerec.training.record_file import ChipReader
from facerec.training.run_folder import RunFolder
from facerec.training.run_identity import check_unchanged, identity_of
from facerec.training.run_network import build_network, is_compiled_whole, precision_of
from facerec.training.sampling import Sampler, split_people
from facerec.training.settings import TrainingSettings
from facerec.training.trainee import Trainee, optimizer_of
from facerec.training.views import Teacher, views_of
from facerec.training.whole_files import load_state

__all__ = ["begin_run", "go_on", "held_out", "learned_from", "steps_of"]

MOST_JUDGED = 4000
"""Pictures of people held out that are judged on each epoch at most: 8 million comparisons."""


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
            "identity": identity_of(reader, settings, start_space, _space(teacher)),
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
    now = identity_of(reader, settings, start_space, _space(teacher))
    check_unchanged(folder, now)
    learned, judged = split_people(reader.people, settings.held_out_share, settings.seed)
    parts = Parts(reader, settings, learned, judged[:MOST_JUDGED], start, teacher)
    keras.utils.set_random_seed(settings.seed)
    with folder.held(), precision_of(settings.precision):
        _fit(folder, parts, now, observer)
    return folder.best()[1]


def _fit(folder: RunFolder, parts: Parts, identity: dict[str, Any], observer: Observer) -> None:
    """Train what is left of the epochs."""
    settings, batches = parts.settings, _batches(parts)
    steps = settings.steps_per_epoch or batches.sampler.steps_a_pass
    trainee = _trainee(parts, batches, steps)
    records = _restored(folder, trainee)

    def judged(embedder: keras.Model) -> Verdict:
        return _judged(embedder, parts)

    keeper = Keeper(folder, settings, judged, identity, records, steps, observer)
    if len(records) < settings.epochs and not keeper.has_had_enough:
        with for_fit(batches.endless(len(records) * steps)) as stream:
            trainee.fit(
                stream,
                initial_epoch=len(records),
                epochs=settings.epochs,
                steps_per_epoch=steps,
                callbacks=[keeper],
                shuffle=False,
                verbose=0,
            )


def _restored(folder: RunFolder, trainee: Trainee) -> tuple[EpochRecord, ...]:
    """Set a trainee to the last checkpoint, if there is one; return the epochs behind it."""
    if not folder.checkpoint.exists():
        return ()
    load_checkpoint(folder.checkpoint, trainee)
    return folder.epochs()[: int(load_state(folder.checkpoint)["epoch"])]


def _space(teacher: Teacher | None) -> str:
    return "" if teacher is None else teacher.space


def _judged(embedder: keras.Model, parts: Parts) -> Verdict:
    """Judge an embedder on the people held out."""
    side = int(embedder.input_shape[1])
    embeddings = embed_chips(
        embedder.predict_on_batch,
        lambda rows: unchanged(parts.reader.chip, rows, side),
        parts.judged,
    )
    return judge(embeddings, parts.reader.people[parts.judged])


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


def _check_teacher(network: keras.Model, teacher: Teacher) -> None:
    size, taught = int(network.output.shape[-1]), teacher.embeddings.shape[-1]
    if size != taught:
        raise TrainingError(
            f"the teacher's embeddings have {taught} numbers, the network's {size}: set "
            f"embedding_size to {taught}, or learn relations only"
        )
