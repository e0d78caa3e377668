"""The stream of batches that a run learns from."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facerec.errors import FaceRecError
from facerec.training.augmentation import Augmentation, augment, resized
from facerec.training.sampling import Sampler
from facerec.training.views import Views

__all__ = ["Batches", "for_fit", "unchanged"]

Batch = dict[str, NDArray[np.uint8] | NDArray[np.int32] | NDArray[np.float32]]
AHEAD = 3
"""Batches made before they are asked for: as many chips are in memory at most."""


@dataclass(frozen=True, eq=False)
class Batches:
    """Makes the batch of any step; what it makes depends on seed and step alone.

    Attributes:
        chip: Reads the chip of a row: uint8 (s, s, 3).
        people: int32 (n,) person of each row as the loss counts them, 0-based without gaps.
        sampler: Draws rows.
        augmentation: Changes of the chips.
        side: Side of the chips that the network takes.
        teacher: float32 (n, k, d), what the teacher says of each row in each of its k forms; None
            without a teacher.
        views: Makes these forms, where the student is to see what the teacher saw (its own rows
            are those of the whole data); None where the student sees the chip changed otherwise.
    """

    chip: Callable[[int], NDArray[np.uint8]]
    people: NDArray[np.int32]
    sampler: Sampler
    augmentation: Augmentation
    side: int
    teacher: NDArray[np.float32] | None = None
    views: Views | None = None

    def batch(self, step: int) -> Batch:
        """Return the batch of a step: ``chips``, ``people`` and, with a teacher, ``teacher``."""
        rows = self.sampler.rows(step)
        chips = np.empty((len(rows), self.side, self.side, 3), np.uint8)
        forms = np.zeros(len(rows), np.intp)
        for place, row in enumerate(rows):
            random = np.random.default_rng([self.sampler.seed, 4, step, place])
            if self.views is None:
                chips[place] = augment(self.chip(int(row)), random, self.augmentation, self.side)
            else:
                forms[place] = random.integers(self.views.count)
                chips[place] = self._seen_by_both(self.views, int(row), int(forms[place]), random)
        made: Batch = {"chips": chips, "people": self.people[rows]}
        if self.teacher is not None:
            made["teacher"] = self.teacher[rows, forms]
        return made

    def _seen_by_both(
        self, views: Views, row: int, number: int, random: np.random.Generator
    ) -> NDArray[np.uint8]:
        """Return a form that the teacher saw, mirrored or not: it was asked about both at once."""
        chip = resized(views.chip(int(views.rows[row]), number), self.side)
        return chip[:, ::-1] if random.random() < self.augmentation.mirror else chip

    def endless(self, first_step: int) -> Iterator[tuple[Batch]]:
        """Yield the batches of `first_step` and all later steps, made ahead by a thread."""
        with ThreadPoolExecutor(1, thread_name_prefix="batches") as pool:
            waiting: list[Future[Batch]] = []
            step = first_step
            try:
                while True:
                    while len(waiting) < AHEAD:
                        waiting.append(pool.submit(self.batch, step))
                        step += 1
                    yield (waiting.pop(0).result(),)
            finally:
                for future in waiting:
                    future.cancel()


def unchanged(
    chip: Callable[[int], NDArray[np.uint8]], rows: NDArray[np.intp], side: int
) -> NDArray[np.uint8]:
    """Return chips of rows without any augmentation: uint8 (n, side, side, 3)."""
    return np.stack([resized(chip(int(row)), side) for row in rows])


@contextmanager
def for_fit(batches: Iterator[Any]) -> Iterator[Iterator[Any]]:
    """Give batches to hand to Keras' ``fit``; an error of theirs leaves as itself.

    TensorFlow makes an error of its own of whatever a generator raises, with a traceback for text.

    Raises:
        FaceRecError: a batch could not be made.
    """
    failed: list[FaceRecError] = []

    def watched() -> Iterator[Any]:
        try:
            yield from batches
        except FaceRecError as error:
            failed.append(error)
            raise

    try:
        yield watched()
    except Exception as error:
        if failed and failed[0] is not error:
            raise failed[0] from error
        raise
