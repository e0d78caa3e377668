"""Judging the weights of a run on people it has never learned from."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facerec.errors import TrainingError
from facerec.evaluation.pictures.face_table import QUALITY_NAMES, FaceTable
from facerec.evaluation.pictures.folder import PeoplePictures
from facerec.evaluation.pictures.pairs_file import LabelledPairs, read_pairs
from facerec.evaluation.protocols.verification import PairsResult, verify_pairs
from facerec.training.batches import unchanged
from facerec.training.judging import Embed, embed_chips
from facerec.training.record_file import ChipReader

__all__ = [
    "EmbeddedPeople", "embed_people", "judge_pairs", "pairs_of_fold", "refuse_shared_people",
]  # fmt: skip

PARTS_OF_A_FOLD = 10
"""A single fold is judged part by part, each at the threshold chosen on the other nine."""


@dataclass(frozen=True, eq=False)
class EmbeddedPeople:
    """Embeddings of pictures of known people.

    Attributes:
        embeddings: float32 (n, d), unit length.
        people: int32 (n,), 0-based without gaps.
        names: Name of each person.
        sources: Path of each picture.
    """

    embeddings: NDArray[np.float32]
    people: NDArray[np.int32]
    names: tuple[str, ...]
    sources: tuple[str, ...]


def embed_people(
    embed: Embed, side: int, reader: ChipReader, rows: NDArray[np.intp] | None = None
) -> EmbeddedPeople:
    """Embed chips and their mirror images, as the system itself does.

    Args:
        embed: The network, of raw embeddings.
        side: Side of the chips it takes.
        reader: The data.
        rows: Which; None for all.
    """
    chosen = np.arange(len(reader)) if rows is None else rows

    def mirrored_too(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        return _unit(_unit(embed(chips)) + _unit(embed(chips[:, :, ::-1])))

    embeddings = embed_chips(mirrored_too, lambda part: unchanged(reader.chip, part, side), chosen)
    kept, people = np.unique(reader.people[chosen], return_inverse=True)
    return EmbeddedPeople(
        embeddings,
        people.astype(np.int32),
        tuple(reader.names[number] for number in kept),
        tuple(reader.sources[row] for row in chosen),
    )


def pairs_of_fold(people: EmbeddedPeople, pairs: Path, fold: int) -> LabelledPairs:
    """Read the labelled pairs of one fold, in ten parts.

    Raises:
        TrainingError: the file has no such fold.
    """
    pictures = PeoplePictures(Path(), people.sources, people.people, people.names)
    labelled = read_pairs(pairs, pictures)
    inside = np.flatnonzero(labelled.folds == fold - 1)
    if not len(inside):
        raise TrainingError(f"{pairs} has no fold {fold}")
    return replace(
        labelled,
        pairs=labelled.pairs[inside],
        mated=labelled.mated[inside],
        folds=(np.arange(len(inside)) % PARTS_OF_A_FOLD).astype(np.int32),
        people=tuple(labelled.people[row] for row in inside),
    )


def judge_pairs(people: EmbeddedPeople, pairs: LabelledPairs) -> PairsResult:
    """Judge labelled pairs, whose people must all be strangers to the network.

    The threshold of each tenth of the pairs is the best one of the other nine tenths. A picture
    that is missing, or in which no face was found, makes its pairs count as judged wrongly.
    """
    return verify_pairs(_table(people.embeddings), pairs)


def refuse_shared_people(tested: ChipReader, learned: ChipReader, rows: NDArray[np.intp]) -> None:
    """Refuse to judge on people that a run learned from.

    Raises:
        TrainingError: some are; says how many, not who.
    """
    known = {learned.names[number] for number in np.unique(learned.people[rows])}
    shared = len(known & set(tested.names))
    if shared:
        raise TrainingError(
            f"{shared} of the {len(tested.names)} people to judge on were learned from, which "
            "proves nothing; give data of other people, or none for those that the run held out"
        )


def _table(embeddings: NDArray[np.float32]) -> FaceTable:
    count = len(embeddings)
    return FaceTable(
        np.zeros(count, np.uint8),
        np.ones(count, np.int32),
        np.zeros((count, 4), np.float32),
        np.zeros((count, 5, 2), np.float32),
        np.ones(count, np.float32),
        np.ones((count, len(QUALITY_NAMES)), np.float32),
        embeddings,
    )


def _unit(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # an infinite length leaves 0, which `judge` refuses
        lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.asarray(embeddings / np.maximum(lengths, 1e-12), np.float32)
