"""Pictures to learn from, and whose they are: a folder of folders, or a list in a CSV file."""

import csv
from dataclasses import dataclass
from pathlib import Path

from facerec.errors import EvaluationError, TrainingError
from facerec.evaluation.pictures.folder import find_people
from facerec.evaluation.pictures.pairs_file import read_pairs

__all__ = ["Sources", "find_sources", "only_fold"]


@dataclass(frozen=True)
class Sources:
    """Pictures of known people.

    Attributes:
        root: Folder that the paths are relative to.
        paths: Path of each picture.
        people: Name of the person of each.
    """

    root: Path
    paths: tuple[str, ...]
    people: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.paths)


def find_sources(path: Path) -> Sources:
    """List the pictures of a folder of folders, or of a CSV file.

    The file has the columns ``picture`` (a path, relative to the file) and ``person``.

    Raises:
        TrainingError: nothing is there, or a line is not of that form; it is named.
    """
    if path.suffix.lower() == ".csv":
        return _of_csv(path)
    try:
        found = find_people(path)
    except EvaluationError as error:
        raise TrainingError(str(error)) from error
    return Sources(path, found.paths, tuple(found.names[number] for number in found.people))


def only_fold(sources: Sources, pairs: Path, fold: int) -> Sources:
    """Keep the people of one fold of a pairs file, as of LFW's View 2, whose folds share nobody.

    Args:
        sources: A folder of folders.
        pairs: The pairs file.
        fold: From 1.

    Raises:
        TrainingError: the file cannot be read, has no such fold, or nobody of it is there.
    """
    try:
        labelled = read_pairs(pairs, find_people(sources.root))
    except EvaluationError as error:
        raise TrainingError(str(error)) from error
    names = labelled.people_of_fold(fold - 1)
    kept = [row for row, person in enumerate(sources.people) if person in names]
    if not kept:
        raise TrainingError(f"{pairs} has no fold {fold}, or none of its people has a picture")
    return Sources(
        sources.root,
        tuple(sources.paths[row] for row in kept),
        tuple(sources.people[row] for row in kept),
    )


def _of_csv(path: Path) -> Sources:
    try:
        with path.open(encoding="utf-8", newline="") as opened:
            rows = list(csv.DictReader(opened))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(f"{path} cannot be read as CSV: {error}") from error
    if not rows or not {"picture", "person"} <= set(rows[0]):
        raise TrainingError(
            f"{path} must have the columns picture and person, and a line a picture"
        )
    for number, row in enumerate(rows, start=2):
        if not row["picture"] or not row["person"]:
            raise TrainingError(f"{path}, line {number}: picture and person must both be given")
    return Sources(
        path.parent,
        tuple(row["picture"] for row in rows),
        tuple(row["person"] for row in rows),
    )
