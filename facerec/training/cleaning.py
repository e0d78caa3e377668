"""Faults of labels, found by how alike faces are, as proposals that a person reviews.

Nothing is changed on its own: a face that looks unlike its person's others may be the picture that
teaches most. The proposals go to a CSV file with an empty column ``accept``; data is prepared
again with the file, and lines whose ``accept`` is ``yes`` are taken up.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facerec.errors import TrainingError

__all__ = ["Fault", "Proposal", "Review", "find_faults", "read_review", "write_proposals"]


class Fault(StrEnum):
    """What seems wrong."""

    OUTLIER = "outlier"
    """A picture unlike all others of its person: leave it out."""
    SPLIT = "split"
    """Two people of the list look like one: put them together."""
    MERGED = "merged"
    """A person's pictures fall in two groups: take the smaller group for somebody else."""


@dataclass(frozen=True)
class Proposal:
    """One proposal.

    Attributes:
        fault: What seems wrong.
        person: The person, or the one that is put to the other.
        picture: The picture; "" where all of the person's are meant.
        other: The other person, or the new name.
        similarity: Cosine similarity that tells it.
    """

    fault: Fault
    person: str
    picture: str
    other: str
    similarity: float


@dataclass(frozen=True)
class Review:
    """What a reviewer took up.

    Attributes:
        dropped: Pictures to leave out.
        renamed: Person -> person whose pictures they are too.
        moved: Picture -> person whose it is.
    """

    dropped: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)

    def person_of(self, picture: str, person: str) -> str:
        """Return whose picture it is."""
        person = self.moved.get(picture, person)
        met = {person}
        while (other := self.renamed.get(person, person)) not in met:
            person = other
            met.add(person)
        return person


def find_faults(
    embeddings: NDArray[np.float32],
    people: NDArray[np.int32],
    names: tuple[str, ...],
    sources: tuple[str, ...],
    *,
    same_from: float,
    other_below: float,
) -> tuple[Proposal, ...]:
    """Look for faults of labels.

    Args:
        embeddings: float32 (n, d), unit length.
        people: int32 (n,).
        names: Name of each person.
        sources: Path of each picture.
        same_from: Similarity from which two faces are one person's.
        other_below: Similarity below which they are not.

    Returns:
        Proposals, people merged first, then pictures, each in the order of the list.
    """
    groups = [np.flatnonzero(people == person) for person in range(len(names))]
    proposals: list[Proposal] = []
    for name, rows in zip(names, groups, strict=True):
        proposals += _within(name, rows, embeddings, sources, same_from, other_below)
    return (*_alike(embeddings, groups, names, same_from), *proposals)


def _within(
    name: str,
    rows: NDArray[np.intp],
    embeddings: NDArray[np.float32],
    sources: tuple[str, ...],
    same_from: float,
    other_below: float,
) -> list[Proposal]:
    """Tell a second person among a person's pictures from single ones that do not fit."""
    if len(rows) < 3:
        return []  # of two that differ, nobody can say which is wrong
    alike = embeddings[rows] @ embeddings[rows].T
    np.fill_diagonal(alike, -1.0)
    group = _connected(alike >= other_below)
    sizes = np.bincount(group)
    main = int(sizes.argmax())
    found = []
    for number in np.flatnonzero(sizes):
        if number == main:
            continue
        inside = np.flatnonzero(group == number)
        best = float(alike[np.ix_(inside, group == main)].max())
        is_person = len(inside) > 1 and alike[np.ix_(inside, inside)].max() >= same_from
        for row in rows[inside]:
            if is_person:
                other = f"{name} ({int(number) + 1})"
                found.append(Proposal(Fault.MERGED, name, sources[row], other, best))
            else:
                found.append(Proposal(Fault.OUTLIER, name, sources[row], "", best))
    return found


def _alike(
    embeddings: NDArray[np.float32],
    groups: list[NDArray[np.intp]],
    names: tuple[str, ...],
    same_from: float,
) -> list[Proposal]:
    """Find people whose mean faces are one person's; each is proposed to the first alike."""
    means = np.stack([embeddings[rows].mean(axis=0) for rows in groups])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    found = []
    for second in range(1, len(names)):
        alike = means[:second] @ means[second]
        first = int(alike.argmax())
        if alike[first] >= same_from:
            found.append(
                Proposal(Fault.SPLIT, names[second], "", names[first], float(alike[first]))
            )
    return found


def _connected(linked: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the connected group of each member of a symmetric relation: intp (n,)."""
    group = np.arange(len(linked))
    for a, b in np.argwhere(linked):
        group[group == group[b]] = group[a]
    return np.unique(group, return_inverse=True)[1]


def write_proposals(path: Path, proposals: tuple[Proposal, ...]) -> None:
    """Write proposals for review, none accepted.

    Raises:
        TrainingError: the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as opened:
            table = csv.writer(opened)
            table.writerow(("accept", *(entry.name for entry in fields(Proposal))))
            for entry in proposals:
                table.writerow(
                    ("", entry.fault, entry.person, entry.picture, entry.other,
                     f"{entry.similarity:.3f}")
                )  # fmt: skip
    except OSError as error:
        raise TrainingError(f"{path} cannot be written: {error.strerror}") from error


def read_review(path: Path) -> Review:
    """Read what a reviewer accepted.

    Raises:
        TrainingError: the file is not of the form that `write_proposals` writes; the line is named.
    """
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as opened:
            rows = list(csv.DictReader(opened))
    except (OSError, csv.Error) as error:
        raise TrainingError(f"{path} cannot be read as CSV: {error}") from error
    dropped, renamed, moved = set(), {}, {}
    for number, row in enumerate(rows, start=2):
        answer = (row.get("accept") or "").strip().lower()
        if answer not in ("", "no", "yes"):
            raise TrainingError(f"{path}, line {number}: accept must be yes, no or empty")
        if answer != "yes":
            continue
        fault, picture = row.get("fault"), row.get("picture") or ""
        if fault == Fault.OUTLIER:
            dropped.add(picture)
        elif fault == Fault.SPLIT:
            renamed[row["person"]] = row["other"]
        elif fault == Fault.MERGED:
            moved[picture] = row["other"]
        else:
            raise TrainingError(f"{path}, line {number}: fault must be one of {', '.join(Fault)}")
    return Review(frozenset(dropped), renamed, moved)
