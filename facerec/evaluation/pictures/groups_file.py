"""The CSV file that says which group a person belongs to."""

import csv
from pathlib import Path

from facerec.errors import EvaluationError
from facerec.evaluation.pictures.folder import PeoplePictures

__all__ = ["read_groups"]


def read_groups(path: Path, pictures: PeoplePictures) -> tuple[str, ...]:
    """Read the group of each person, "" for people whom the file does not name.

    Raises:
        EvaluationError: the file cannot be read, lacks the columns ``person`` and ``group``, a row
            is malformed, a person stands in it twice, or it names none of the people.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.reader(opened, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EvaluationError(f"the groups file {path} cannot be read as CSV: {error}") from error
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if not {"person", "group"} <= set(header):
        raise EvaluationError(f"{path}, line 1: must name the columns person and group")
    groups: dict[str, str] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) != len(header):
            raise EvaluationError(
                f"{path}, line {number}: must have {len(header)} cells; received {len(row)}"
            )
        person = row[header.index("person")].strip()
        if person in groups:
            raise EvaluationError(f"{path}, line {number}: that person stands in it already")
        groups[person] = row[header.index("group")].strip()
    if not groups.keys() & set(pictures.names):
        raise EvaluationError(f"{path} names nobody who has a folder of pictures")
    return tuple(groups.get(name, "") for name in pictures.names)
