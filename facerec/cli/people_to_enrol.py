"""Whom ``facerec enroll`` is to enrol: from the command line, a folder, or a table."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

from facerec.cli.times import validity
from facerec.errors import GalleryError, SourceError
from facerec.gallery.identifiers import check_display_name, check_profile_id

__all__ = ["COLUMNS", "Person", "people_from", "person_of_pictures"]

COLUMNS: Mapping[str, str] = {
    "name": "display name",
    "images": "picture files, or folders of them, relative to the table; several with | between",
    "external_id": "id in your own records: who has it already is added to, not enrolled again",
    "profile_id": "id for the profile",
    "galleries": "galleries, several with | between",
    "consent": "where the evidence of consent is",
    "valid_from": "matched from this time on",
    "valid_until": "matched until this time",
}
"""The columns of a table of people and what they hold; the first two must be there."""
REQUIRED = ("name", "images")
ATTRIBUTE = "attribute."
"""Begins the column of an attribute, such as ``attribute.floor``."""
SEPARATOR = "|"

_TABLE_SUFFIXES = frozenset({".csv", ".tsv"})
_PICTURE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""Which files of a person's folder are taken for pictures; others may be notes."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Person:
    """Somebody to enrol.

    Attributes:
        name: Display name.
        pictures: Files of their pictures.
        external_id: Id in the enroller's own records; "" for none.
        profile_id: Id to use; None for a random one.
        galleries: Galleries to put them into; None for those of the command.
        consent: Where the evidence of consent is; None for that of the command.
        attributes: What else to keep.
        valid_from: Matched from this moment; None for always.
        valid_until: Matched until this moment; None for never.
        line: Line of the table that they are from; 0 for none.
        problem: What is wrong with that line; "" when nothing is.
    """

    name: str
    pictures: tuple[Path, ...]
    external_id: str = ""
    profile_id: str | None = None
    galleries: tuple[str, ...] | None = None
    consent: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    line: int = 0
    problem: str = ""


def person_of_pictures(name: str, pictures: Sequence[Path]) -> Person:
    """Return one person.

    Raises:
        GalleryError: the name is not fit for one.
    """
    return Person(check_display_name(name), tuple(pictures))


def people_from(path: Path) -> tuple[Person, ...]:
    """Return the people of a folder with one folder each, or of a table (``.csv``, ``.tsv``).

    A folder's name is the person's, with ``_`` for a space; pictures are known by their suffix.
    The columns of a table are `COLUMNS`, and one for each attribute; a line that is not fit gives a
    person with a problem.

    Raises:
        SourceError: it is neither, or a table that cannot be read or lacks columns.
    """
    if path.is_dir():
        return _people_of_folder(path)
    if path.suffix.lower() in _TABLE_SUFFIXES:
        return _people_of_table(path)
    raise SourceError(
        f"{path} is neither a folder that holds one folder a person nor a .csv file; give one of "
        "them"
    )


def _people_of_folder(folder: Path) -> tuple[Person, ...]:
    people = tuple(
        Person(entry.name.replace("_", " "), _pictures(entry))
        for entry in sorted(folder.iterdir())
        if entry.is_dir() and not entry.name.startswith(".")
    )
    if not people:
        raise SourceError(f"{folder} holds no folder; give one that holds one folder a person")
    return people


def _people_of_table(path: Path) -> tuple[Person, ...]:
    try:
        rows = list(_rows(path, _text(path)))
    except csv.Error as error:
        raise SourceError(f"{path} is no table of comma-separated values: {error}") from error
    if not rows:
        raise SourceError(f"{path} holds nobody; give a line a person below the line of columns")
    people = []
    seen: dict[str, int] = {}
    for line, cells in rows:
        person = _person_of(path.parent, line, cells)
        for kind, value in (("external id", person.external_id), ("id", person.profile_id)):
            first = seen.setdefault(f"{kind} {value}", line) if value else line
            if first != line and not person.problem:
                problem = f"the same {kind} is on line {first}; give everybody their own"
                person = Person(person.name, (), person.external_id, line=line, problem=problem)
        people.append(person)
    return tuple(people)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}; check the path") from error
    encoding = "utf-16" if data.startswith(_UTF_16) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SourceError(
            f"{path} is not UTF-8 text at line {line}; save it anew as CSV with the encoding UTF-8"
        ) from error


def _rows(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, str | None]]]:
    """Yield the line number and the cells of each person, by column."""
    header = text.partition("\n")[0]
    # Spreadsheets of many countries write semicolons.
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns = [_column(cell.strip()) for cell in next(reader, [])]
    _check_columns(path, columns)
    begins = reader.line_num + 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            given = [*cells, *[None] * (len(columns) - len(cells))][: len(columns)]
            too_many = {"": ""} if any(cell.strip() for cell in cells[len(columns) :]) else {}
            yield begins, dict(zip(columns, given, strict=True)) | too_many
        begins = reader.line_num + 1


def _column(name: str) -> str:
    """Return a column's name; only those of attributes are the user's own to spell."""
    known = name.lower()
    return ATTRIBUTE + name[len(ATTRIBUTE) :] if known.startswith(ATTRIBUTE) else known


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    known = f"columns: {', '.join(COLUMNS)}, {ATTRIBUTE}NAME"
    for column in REQUIRED:
        if column not in columns:
            raise SourceError(f"{path} has no column {column!r} in its first line; {known}")
    for column in columns:
        if column in COLUMNS or (column.startswith(ATTRIBUTE) and column != ATTRIBUTE):
            continue
        near = get_close_matches(column, COLUMNS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise SourceError(f"{path} has an unknown column {column[:40]!r}; {hint}{known}")
    if len(set(columns)) < len(columns):
        raise SourceError(f"{path} has a column twice; {known}")


def _person_of(folder: Path, line: int, cells: Mapping[str, str | None]) -> Person:
    """Return the person of a line of a table."""
    given = {column: (cell or "").strip() for column, cell in cells.items()}
    name, external_id = given["name"], given.get("external_id", "")
    try:
        if "" in cells or None in cells.values():
            raise GalleryError(
                "the line has more or fewer cells than the first one; quote cells that hold commas"
            )
        begins, ends = validity(given.get("valid_from"), given.get("valid_until"))
        return Person(
            name=check_display_name(name),
            pictures=_files(folder, given["images"]),
            external_id=external_id,
            profile_id=check_profile_id(given["profile_id"]) if given.get("profile_id") else None,
            galleries=_several(given.get("galleries", "")) or None,
            consent=given.get("consent") or None,
            attributes={
                column.removeprefix(ATTRIBUTE): cell
                for column, cell in given.items()
                if column.startswith(ATTRIBUTE) and cell
            },
            valid_from=begins,
            valid_until=ends,
            line=line,
        )
    except GalleryError as error:
        return Person(name, (), external_id, line=line, problem=str(error))


def _several(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(SEPARATOR) if part.strip())


def _files(folder: Path, cell: str) -> tuple[Path, ...]:
    """Return the pictures of a cell; of a folder in it, all."""
    files: list[Path] = []
    for part in _several(cell):
        path = folder / part
        files += _pictures(path) if path.is_dir() else [path]
    return tuple(dict.fromkeys(files))


def _pictures(folder: Path) -> tuple[Path, ...]:
    return tuple(
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in _PICTURE_SUFFIXES and not path.name.startswith(".")
    )
