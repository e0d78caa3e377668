"""Templates and changes as indexes take them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facerec.gallery.index.list_plan import ListPlan

__all__ = ["Changes", "IndexedRows", "joined_rows", "sorted_by_person", "starts_of"]


@dataclass(frozen=True, eq=False)
class IndexedRows:
    """Templates as an index takes them; a person's rows follow one another.

    Attributes:
        embeddings: float32 (n, d), unit length.
        people: int64 (n,): number of the person of each template.
        profile_ids: bytes (n,): id of the person of each template.
    """

    embeddings: NDArray[np.float32]
    people: NDArray[np.int64]
    profile_ids: NDArray[np.bytes_]

    def __len__(self) -> int:
        return len(self.people)

    def __getitem__(self, index: NDArray[np.bool_]) -> "IndexedRows":
        return IndexedRows(self.embeddings[index], self.people[index], self.profile_ids[index])


def joined_rows(parts: Sequence[IndexedRows]) -> IndexedRows:
    """Return the rows of several, one after the other; at least one."""
    return IndexedRows(
        np.concatenate([part.embeddings for part in parts]),
        np.concatenate([part.people for part in parts]),
        np.concatenate([part.profile_ids for part in parts]),
    )


def sorted_by_person(rows: IndexedRows) -> IndexedRows:
    """Return the same rows in the order of their people's numbers; a person's keep theirs."""
    if np.all(rows.people[:-1] <= rows.people[1:]):
        return rows
    order = np.argsort(rows.people, kind="stable")
    return IndexedRows(rows.embeddings[order], rows.people[order], rows.profile_ids[order])


def starts_of(people: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each person's rows begin among rows of which a person's follow one another."""
    return np.flatnonzero(np.diff(people, prepend=people[:1] - 1))


@dataclass(frozen=True, eq=False)
class Changes:
    """What an index must do to be the one of `revision` at `instant`.

    Attributes:
        revision: Revision of the database when it was read.
        instant: The moment at whose validity people were chosen, as times are stored.
        until: The next moment at which somebody's validity begins or ends; "" when there is none.
        people: int64 (n,): sorted numbers of the people to forget; all when the index is new.
        rows: Embedding space -> the present templates of those of them who may be matched.
        members: Gallery -> int64 (n,): numbers of those of them who are in it; every gallery.
        plans: (gallery, embedding space) -> how its templates were kept in lists, where they were.
    """

    revision: int
    instant: str
    until: str
    people: NDArray[np.int64]
    rows: dict[str, IndexedRows]
    members: dict[str, NDArray[np.int64]]
    plans: dict[tuple[str, str], ListPlan] = field(default_factory=dict)
