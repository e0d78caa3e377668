"""The forms of chips that a teacher is asked about, and what it says of them. Imports no Keras."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.training.augmentation import Augmentation, augment
from facerec.training.record_file import ChipReader
from facerec.training.sampling import split_people
from facerec.training.settings import TrainingSettings

__all__ = ["Teacher", "Views", "views_of"]

Chip = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Teacher:
    """What an installed embedder says of the chips of the data.

    Attributes:
        space: Its embedding space.
        embeddings: float32 (n, k, d), a row a chip of the data, in k forms; 0 for people held out.
    """

    space: str
    embeddings: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Views:
    """Makes any form of any chip again: a function of seed, row and number alone.

    Seeing the same changed chip as its teacher, and many of them, a student learns the teacher's
    function and not the answers to a few pictures (L. Beyer and others: "Knowledge distillation: A
    good teacher is patient and consistent", CVPR 2022). Blends go further: a teacher has an answer
    even for a face that nobody has (H. Zhang and others: "mixup", ICLR 2018, with the teacher's
    word in place of blended labels).

    Attributes:
        read: Reads the chip of a row: uint8 (s, s, 3).
        rows: intp (m,) rows learned from: only they are shown and blended.
        count: Forms of each chip, from 1.
        changed: Whether forms are changed; otherwise there is one, the chip as it is.
        augmentation: How they are changed. Mirroring is left to the student's side: the teacher
            is asked about a chip and its mirror image together.
        blending: Share of the forms that are blends with another chip.
        seed: Of all draws.
    """

    read: Callable[[int], Chip]
    rows: NDArray[np.intp]
    count: int
    changed: bool
    augmentation: Augmentation
    blending: float
    seed: int

    def chip(self, row: int, number: int) -> Chip:
        """Return form `number` of the chip of a row, 0-based: uint8 (s, s, 3)."""
        chip = self.read(row)
        if not self.changed:
            return chip
        random = np.random.default_rng([self.seed, 5, row, number])
        if random.random() < self.blending:
            chip = _blend(chip, self.read(int(random.choice(self.rows))), random)
        how = replace(self.augmentation, mirror=0.0)
        return augment(chip, random, how, chip.shape[0])


def views_of(reader: ChipReader, settings: TrainingSettings) -> Views:
    """Return the forms in which a run shows the chips of its data to its teacher."""
    return Views(
        reader.chip,
        split_people(reader.people, settings.held_out_share, settings.seed)[0],
        max(settings.teacher_views, 1),
        settings.teacher_views > 0,
        settings.augmentation,
        settings.blending,
        settings.seed,
    )


def _blend(one: Chip, other: Chip, random: np.random.Generator) -> Chip:
    """Blend two aligned chips, the shares changing smoothly over the face."""
    coarse = random.uniform(0.1, 0.9) + random.uniform(-0.7, 0.7, (3, 3))
    side = one.shape[0]
    shares = np.clip(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), 0, 1)
    return np.asarray(np.round(other + shares[:, :, None] * (one.astype(float) - other)), np.uint8)
