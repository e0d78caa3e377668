"""The pairs file of Labeled Faces in the Wild."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from facerec.errors import EvaluationError
from facerec.evaluation.pictures.folder import PeoplePictures

__all__ = ["LabelledPairs", "read_pairs"]

_Entry = tuple[str, int]
"""Name of a person, and number of the picture."""


@dataclass(frozen=True, eq=False)
class LabelledPairs:
    """Pairs of pictures of which it is known whether they show one person.

    Attributes:
        pairs: int32 (n, 2) pictures, as rows of the pictures they were read for; -1 for one that
            is missing.
        mated: bool (n,) whether both show one person.
        folds: int32 (n,) fold of each pair, 0-based.
        people: Names of the two people of each pair.
        names: ``PERSON/PICTURE|PERSON/PICTURE`` of each pair, without the pictures' endings.
        missing: Named pictures that are not in the folder, each once.
    """

    pairs: NDArray[np.int32]
    mated: NDArray[np.bool_]
    folds: NDArray[np.int32]
    people: tuple[tuple[str, str], ...]
    names: tuple[str, ...]
    missing: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.mated)

    def people_of_fold(self, fold: int) -> frozenset[str]:
        """Return the names of everybody in the pairs of a fold."""
        inside = np.flatnonzero(self.folds == fold)
        return frozenset(name for pair in inside for name in self.people[pair])


def read_pairs(path: Path, pictures: PeoplePictures) -> LabelledPairs:
    """Read a pairs file in the format of LFW's View 1 and View 2.

    The first line says how many folds there are and how many mated pairs (and as many non-mated)
    each holds, or only the latter for a single fold. ``NAME I J`` is a mated pair, ``NAME I OTHER
    J`` a non-mated one; picture I of NAME is ``NAME/NAME_000I`` with the ending of any picture.

    Raises:
        EvaluationError: the file cannot be read, or a line is not in that format (it is named).
    """
    per_fold, entries = _read(path)
    rows = {
        str(PurePosixPath(name).with_suffix("")): row for row, name in enumerate(pictures.paths)
    }
    stems = [tuple(f"{name}/{name}_{index:04d}" for name, index in pair) for pair in entries]
    missing = dict.fromkeys(stem for pair in stems for stem in pair if stem not in rows)
    if len(missing) == len({stem for pair in stems for stem in pair}):
        raise EvaluationError(
            f"none of the {len(missing)} pictures that {path} names lies in {pictures.root}, the "
            f"first as {next(iter(missing))} with the ending of a picture: is it the folder that "
            "the file was made for?"
        )
    return LabelledPairs(
        np.array([[rows.get(stem, -1) for stem in pair] for pair in stems], np.int32),
        np.array([first[0] == second[0] for first, second in entries]),
        np.arange(len(stems), dtype=np.int32) // (2 * per_fold),
        tuple((first[0], second[0]) for first, second in entries),
        tuple("|".join(pair) for pair in stems),
        tuple(missing),
    )


def _read(path: Path) -> tuple[int, list[tuple[_Entry, _Entry]]]:
    """Return the mated pairs a fold, and the two entries of every pair."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"the pairs file {path} cannot be read as text: {error}") from error
    folds, per_fold = _header(path, lines[0] if lines else "")
    entries = [
        _entries(path, number, line)
        for number, line in enumerate(lines[1:], start=2)
        if line.strip()
    ]
    if len(entries) != folds * 2 * per_fold:
        raise EvaluationError(
            f"{path}: line 1 announces {folds} fold(s) of {2 * per_fold} pairs; it holds "
            f"{len(entries)} pairs"
        )
    return per_fold, entries


def _header(path: Path, line: str) -> tuple[int, int]:
    numbers = line.split()
    if not 1 <= len(numbers) <= 2 or not all(n.isascii() and n.isdigit() for n in numbers):
        raise EvaluationError(
            f"{path}, line 1: must be the number of folds and of mated pairs in each, such as "
            f"'10 300'; received {line[:40]!r}"
        )
    counts = [int(number) for number in numbers]
    folds, per_fold = counts if len(counts) == 2 else (1, counts[0])
    if folds < 1 or per_fold < 1:
        raise EvaluationError(f"{path}, line 1: both numbers must be at least 1")
    return folds, per_fold


def _entries(path: Path, number: int, line: str) -> tuple[_Entry, _Entry]:
    """Split a line into two names with a picture number each."""
    fields = line.strip().split("\t") if "\t" in line else line.split()
    if len(fields) == 3:
        fields = [fields[0], fields[1], fields[0], fields[2]]
    if len(fields) != 4 or not all(fields[i].isascii() and fields[i].isdigit() for i in (1, 3)):
        raise EvaluationError(
            f"{path}, line {number}: must be 'NAME I J' or 'NAME I OTHER J' with whole numbers I "
            f"and J; received {len(fields)} field(s)"
        )
    return (fields[0], int(fields[1])), (fields[2], int(fields[3]))
