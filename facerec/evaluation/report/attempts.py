"""Which attempt was judged rightly: what two runs are compared by."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facerec.errors import EvaluationError
from facerec.evaluation.metrics.paired import PairedDifference, paired_difference
from facerec.evaluation.report.writing import ATTEMPTS_FILE

__all__ = ["Attempts", "attempts_from_json", "attempts_to_json", "compare_runs"]


@dataclass(frozen=True, eq=False)
class Attempts:
    """The attempts of one kind in a run.

    Attributes:
        measure: What was attempted, in words: ``"accuracy"``, ``"tar_at_far:1e-3"``.
        names: Name of each attempt, the same in every run on the same data.
        people: Name of the person of each attempt.
        right: bool (n,) whether it was judged rightly.
    """

    measure: str
    names: tuple[str, ...]
    people: tuple[str, ...]
    right: NDArray[np.bool_]


def attempts_to_json(kind: str, attempts: tuple[Attempts, ...]) -> dict[str, Any]:
    """Return the JSON form of a run's attempts."""
    return {
        "kind": kind,
        "measures": {
            entry.measure: {
                "names": list(entry.names),
                "people": list(entry.people),
                "right": "".join("01"[int(value)] for value in entry.right),
            }
            for entry in attempts
        },
    }


def attempts_from_json(folder: Path) -> tuple[str, dict[str, Attempts]]:
    """Read the kind and the attempts of a report's folder.

    Raises:
        EvaluationError: it is not a report's folder, or a damaged one.
    """
    path = folder / ATTEMPTS_FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        attempts = {
            measure: Attempts(
                measure,
                tuple(entry["names"]),
                tuple(entry["people"]),
                np.array([mark == "1" for mark in entry["right"]], bool),
            )
            for measure, entry in record["measures"].items()
        }
        kind = str(record["kind"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EvaluationError(
            f"{folder} is not the folder of a report: {ATTEMPTS_FILE} cannot be read; make one "
            "with: facerec evaluate ... --report DIR"
        ) from error
    if any(len({len(a.names), len(a.people), len(a.right)}) > 1 for a in attempts.values()):
        raise EvaluationError(f"{path} is damaged: its lists differ in length")
    return kind, attempts


def compare_runs(first: Path, second: Path) -> dict[str, PairedDifference]:
    """Test the difference of two runs on the attempts that both made, measure by measure.

    Raises:
        EvaluationError: one is not a report's folder, or they share no attempt.
    """
    (kind_a, a), (kind_b, b) = attempts_from_json(first), attempts_from_json(second)
    if kind_a != kind_b:
        raise EvaluationError(f"{first} is a report on {kind_a}, {second} one on {kind_b}")
    differences = {}
    for measure in (name for name in a if name in b):
        rows_b = {name: row for row, name in enumerate(b[measure].names)}
        shared = [(i, rows_b[name]) for i, name in enumerate(a[measure].names) if name in rows_b]
        if shared:
            i, j = (np.array(rows) for rows in zip(*shared, strict=True))
            people = np.unique(np.array(a[measure].people)[i], return_inverse=True)[1]
            differences[measure] = paired_difference(
                a[measure].right[i], b[measure].right[j], people.astype(np.int32)
            )
    if not differences:
        raise EvaluationError(f"{first} and {second} share no attempt: they were run on other data")
    return differences
