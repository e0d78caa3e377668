"""A file of everything that went wrong, or should be looked at, while people were enrolled."""

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path

from facerec.cli.console import json_text
from facerec.cli.enrolment_result import EnrolmentResult
from facerec.errors import SourceError

__all__ = ["EnrolmentReport"]


class EntryKind(StrEnum):
    """How bad it is; stable words."""

    FAILED = "failed"
    """The person is not enrolled, or what is new of them is not."""
    REJECTED = "rejected"
    """A picture was not used."""
    WARNING = "warning"
    """The person is enrolled; somebody should look."""


@dataclass(frozen=True)
class Entry:
    """One line of a report.

    Attributes:
        kind: How bad it is.
        line: Line of the table; None for a folder.
        external_id: Of the person.
        name: Of the person.
        profile_id: Of the person, when enrolled.
        image: The picture that is meant; "" for the person as a whole.
        reasons: Stable words, separated by spaces.
        detail: What is wrong, in words.
    """

    kind: EntryKind
    line: int | None
    external_id: str
    name: str
    profile_id: str
    image: str
    reasons: str
    detail: str


class EnrolmentReport:
    """A report that is written when all is done, or as far as it came."""

    def __init__(self, path: Path) -> None:
        """Report to a file, which is made at once: that it cannot be is known before the work.

        Raises:
            SourceError: it is neither .csv nor .json, or cannot be written.
        """
        if path.suffix.lower() not in (".csv", ".json"):
            raise SourceError(f"{path}: a report is a .csv or a .json file; name one of them")
        self._path = path
        self._entries: list[Entry] = []
        self.write()

    def add(self, result: EnrolmentResult) -> None:
        """Take down what is wrong with a result."""
        self._entries += _entries(result)

    def write(self) -> None:
        """Write what was taken down, in place of what the file held; only its owner can read it.

        Raises:
            SourceError: it cannot be written.
        """
        as_csv = self._path.suffix.lower() == ".csv"
        text = _csv(self._entries) if as_csv else json_text(self._entries) + "\n"
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with open(os.open(self._path, flags, 0o600), "w", encoding="utf-8", newline="") as file:
                file.write(text)
        except OSError as error:
            raise SourceError(
                f"the report {self._path} cannot be written: {error.strerror}; name another"
            ) from error


def _entries(result: EnrolmentResult) -> Iterator[Entry]:
    def entry(kind: EntryKind, image: str, reasons: str, detail: str) -> Entry:
        person = result.person
        return Entry(
            kind,
            person.line or None,
            person.external_id,
            person.name,
            result.profile_id or "",
            image,
            reasons,
            detail,
        )

    if result.profile_id is None:
        yield entry(EntryKind.FAILED, "", result.refusal or "", result.problem)
    for remark in result.rejected:
        yield entry(EntryKind.REJECTED, str(remark.image), " ".join(remark.reasons), remark.detail)
    for remark in result.accepted:
        yield entry(EntryKind.WARNING, str(remark.image), " ".join(remark.reasons), "accepted")
    for warning in result.warnings:
        yield entry(EntryKind.WARNING, "", "", warning)


def _csv(entries: list[Entry]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [field.name for field in fields(Entry)])
    writer.writeheader()
    writer.writerows(asdict(entry) for entry in entries)
    return text.getvalue()
