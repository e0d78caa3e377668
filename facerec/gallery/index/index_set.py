"""All indexes of one home at one revision: one a gallery and embedding space."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from facerec.errors import EmbeddingSpaceError, GalleryNotFoundError
from facerec.gallery.index.list_plan import ListPlan
from facerec.gallery.index.rows import Changes, IndexedRows, joined_rows
from facerec.gallery.index.rules import MAXIMA, IndexRules
from facerec.gallery.index.vector_index import Hit, Merger, VectorIndex, best_hits
from facerec.gallery.index.vector_segment import Segment
from facerec.gallery.profile import Candidates

__all__ = ["IndexKey", "IndexSet"]

IndexKey = tuple[str, str]
"""Names of a gallery and an embedding space."""


@dataclass(frozen=True)
class _Counts:
    """How many people a search of some galleries is about.

    Attributes:
        searched: Those with a template in the space searched.
        elsewhere: Those with templates in other spaces alone.
    """

    searched: int
    elsewhere: int


@dataclass(frozen=True, eq=False)
class IndexSet:
    """An immutable set of indexes; whoever holds one searches the galleries of one instant.

    Attributes:
        revision: Revision of the database that it mirrors; 0 for an empty one.
        instant: Moment at which it shows who may be matched, as times are stored; "" for never.
        until: The next moment at which that changes; "" when it does not.
        galleries: Names of all galleries, with or without people in them.
        indexes: (gallery, embedding space) -> its index; only those that hold somebody.
        people: Gallery -> how many people of it may be matched, in whatever space.
        rules: How indexes are searched.
    """

    revision: int = 0
    instant: str = ""
    until: str = ""
    galleries: tuple[str, ...] = ()
    indexes: dict[IndexKey, VectorIndex] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    rules: IndexRules = MAXIMA
    _counts: dict[tuple[tuple[str, ...], str], _Counts] = field(default_factory=dict)

    def updated(self, changes: Changes) -> "IndexSet":
        """Return the set of the revision of `changes`, sharing what they leave alone."""
        keys = set(self.indexes) | {(g, s) for g in changes.members for s in changes.rows}
        indexes = {}
        for gallery, space in keys:
            rows = changes.rows.get(space)
            members = changes.members.get(gallery, np.zeros(0, np.int64))
            index = self.indexes.get((gallery, space))
            added = None if rows is None else _of(rows, members)
            plan = changes.plans.get((gallery, space))
            index = _updated(index, changes.people, added, plan, self.rules)
            if index is not None and index.searched:
                indexes[gallery, space] = index
        return IndexSet(
            changes.revision,
            changes.instant,
            changes.until,
            tuple(sorted(changes.members)),
            indexes,
            {gallery: self._people_after(gallery, changes) for gallery in changes.members},
            self.rules,
        )

    def shows(self, instant: str) -> bool:
        """Whether who may be matched at a moment is who may be matched in this set."""
        return self.instant <= instant and (not self.until or instant < self.until)

    @property
    def templates(self) -> int:
        """Number of templates that can be found, each once a gallery."""
        return sum(index.templates for index in self.indexes.values())

    def to_merge(self) -> tuple[IndexKey, tuple[Segment, ...]] | None:
        """Return segments of an index that should become one, if there are any."""
        for key, index in self.indexes.items():
            segments = index.to_merge()
            if segments:
                return key, segments
        return None

    def merged(self, key: IndexKey, merger: Merger) -> "IndexSet":
        """Return the same set with merged segments, where they still are."""
        if key not in self.indexes:
            return self
        index = self.indexes[key].merged(merger)
        return replace(self, indexes={**self.indexes, key: index})

    def state(self) -> Changes:
        """Return what makes an empty set into this one."""
        rows: dict[str, IndexedRows] = {}
        members: dict[str, NDArray[np.int64]] = {g: np.zeros(0, np.int64) for g in self.galleries}
        for (gallery, space), index in self.indexes.items():
            members[gallery] = np.union1d(members[gallery], index.people)
            found = index.rows()
            if space in rows:  # people of several galleries are kept once
                found = joined_rows(
                    [rows[space], found[~np.isin(found.people, rows[space].people)]]
                )
            rows[space] = found
        none = np.zeros(0, np.int64)
        plans = {key: index.plan for key, index in self.indexes.items() if index.plan is not None}
        return Changes(self.revision, self.instant, self.until, none, rows, members, plans)

    def search(
        self, probe: NDArray[np.float32], embedding_space: str, galleries: Sequence[str], k: int
    ) -> Candidates:
        """Return the `k` people of `galleries` most like the probe.

        Raises:
            GalleryNotFoundError: no gallery has a given name.
            EmbeddingSpaceError: people are enrolled, but nobody in the space of the probe.
        """
        hits = self.best(probe, embedding_space, galleries, k)
        return self.candidates(hits, embedding_space, galleries)

    def best(
        self, probe: NDArray[np.float32], embedding_space: str, galleries: Sequence[str], k: int
    ) -> list[Hit]:
        """Return the people that `search` answers with."""
        for name in galleries:
            if name not in self.galleries:
                raise GalleryNotFoundError(
                    f"no gallery is named {name!r}; there are: {', '.join(self.galleries)}"
                )
        indexes = self._of(embedding_space, galleries)
        if not indexes:
            self._refuse_other_spaces(embedding_space, galleries)
        score = self.rules.score
        if len(indexes) == 1:
            return indexes[0].search(probe, k, score)
        return best_hits((hit for index in indexes for hit in index.search(probe, k, score)), k)

    def candidates(
        self, hits: Sequence[Hit], embedding_space: str, galleries: Sequence[str]
    ) -> Candidates:
        """Return people who were found, with what was searched for them."""
        indexes = self._of(embedding_space, galleries)
        counts = self._count(tuple(dict.fromkeys(galleries)), embedding_space)
        return Candidates(
            profile_ids=tuple(hit.profile_id for hit in hits),
            similarities=np.array([-hit.distance for hit in hits], np.float32),
            searched=counts.searched,
            revision=self.revision,
            templates=sum(index.templates for index in indexes),
            elsewhere=counts.elsewhere,
            index="; ".join(dict.fromkeys(index.how for index in indexes)) or "exact",
        )

    def _of(self, embedding_space: str, galleries: Sequence[str]) -> list[VectorIndex]:
        keys = [(name, embedding_space) for name in dict.fromkeys(galleries)]
        return [self.indexes[key] for key in keys if key in self.indexes]

    def _refuse_other_spaces(self, embedding_space: str, galleries: Sequence[str]) -> None:
        others = sorted({space for name, space in self.indexes if name in galleries})
        if others:
            raise EmbeddingSpaceError(
                f"nobody in {', '.join(galleries)} is enrolled in the embedding space "
                f"{embedding_space}, but people are in {', '.join(others)}: enrol them again, or "
                "set analysis.embedder to the network that they were enrolled with"
            )

    def _people_after(self, gallery: str, changes: Changes) -> int:
        """Count the people of a gallery who may be matched after changes."""
        gone = np.zeros(len(changes.people), np.bool_)
        for (name, _), index in self.indexes.items():
            if name == gallery:
                gone |= index.has(changes.people)
        present = [np.zeros(0, np.int64), *(rows.people for rows in changes.rows.values())]
        there = np.isin(changes.members[gallery], np.concatenate(present))
        return self.people.get(gallery, 0) - int(gone.sum()) + int(there.sum())

    def _count(self, galleries: tuple[str, ...], space: str) -> _Counts:
        """Count the people of galleries, each once; remembered, since it may take a while."""
        known = self._counts.get((galleries, space))
        if known is not None:
            return known
        if len(galleries) == 1:
            index = self.indexes.get((galleries[0], space))
            searched = 0 if index is None else index.searched
            everybody = self.people.get(galleries[0], 0)
        else:
            mine = [(key, i) for key, i in self.indexes.items() if key[0] in galleries]
            searched = _distinct([index for (_, s), index in mine if s == space])
            everybody = _distinct([index for _, index in mine])
        counts = _Counts(searched, everybody - searched)
        self._counts[galleries, space] = counts
        return counts


def _updated(
    index: VectorIndex | None,
    people: NDArray[np.int64],
    added: IndexedRows | None,
    plan: ListPlan | None,
    rules: IndexRules,
) -> VectorIndex | None:
    """Bring one index up to date; None stays None when nobody is to be added."""
    if index is None:
        if added is None or not len(added):
            return None
        index = VectorIndex(added.embeddings.shape[1], rules=rules)
    if added is None:
        added = IndexedRows(
            np.zeros((0, index.size), np.float32), np.zeros(0, np.int64), np.zeros(0, np.bytes_)
        )
    return index.updated(people, added, plan)


def _of(rows: IndexedRows, people: NDArray[np.int64]) -> IndexedRows:
    """Return the rows of people; of all people the rows themselves, which may be gigabytes."""
    theirs = np.isin(rows.people, people)
    return rows if theirs.all() else rows[theirs]


def _distinct(indexes: Sequence[VectorIndex]) -> int:
    """Count the people of several indexes, each once."""
    return len(np.unique(np.concatenate([np.zeros(0, np.int64), *(i.people for i in indexes)])))
