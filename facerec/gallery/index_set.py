"""All indexes of one home at one revision: one a gallery and embedding space."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facerec.errors import EmbeddingSpaceError, GalleryNotFoundError
from facerec.gallery.index_rows import Changes, IndexedRows, joined_rows
from facerec.gallery.profile import Candidates
from facerec.gallery.vector_index import VectorIndex, best_hits

__all__ = ["IndexSet"]

_Key = tuple[str, str]


@dataclass(frozen=True, eq=False)
class IndexSet:
    """An immutable set of indexes; whoever holds one searches the galleries of one instant.

    Attributes:
        revision: Revision of the database that it mirrors; 0 for an empty one.
        instant: Moment at which it shows who may be matched, as times are stored; "" for never.
        until: The next moment at which that changes; "" when it does not.
        galleries: Names of all galleries, with or without people in them.
        indexes: (gallery, embedding space) -> its index; only those that hold somebody.
    """

    revision: int = 0
    instant: str = ""
    until: str = ""
    galleries: tuple[str, ...] = ()
    indexes: dict[_Key, VectorIndex] = field(default_factory=dict)

    def updated(self, changes: Changes) -> "IndexSet":
        """Return the set of the revision of `changes`, sharing what they leave alone."""
        keys = set(self.indexes) | {(g, s) for g in changes.members for s in changes.rows}
        indexes = {}
        for gallery, space in keys:
            rows = changes.rows.get(space)
            members = changes.members.get(gallery, np.zeros(0, np.int64))
            index = _updated(self.indexes.get((gallery, space)), changes.people, members, rows)
            if index is not None and index.searched:
                indexes[gallery, space] = index
        return IndexSet(
            changes.revision,
            changes.instant,
            changes.until,
            tuple(sorted(changes.members)),
            indexes,
        )

    def shows(self, instant: str) -> bool:
        """Whether who may be matched at a moment is who may be matched in this set."""
        return self.instant <= instant and (not self.until or instant < self.until)

    @property
    def templates(self) -> int:
        """Number of templates that can be found, each once a gallery."""
        return sum(index.templates for index in self.indexes.values())

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
        return Changes(self.revision, self.instant, self.until, none, rows, members)

    def search(
        self, probe: NDArray[np.float32], embedding_space: str, galleries: Sequence[str], k: int
    ) -> Candidates:
        """Return the `k` people of `galleries` most like the probe.

        Raises:
            GalleryNotFoundError: no gallery has a given name.
            EmbeddingSpaceError: people are enrolled, but nobody in the space of the probe.
        """
        for name in galleries:
            if name not in self.galleries:
                raise GalleryNotFoundError(
                    f"no gallery is named {name!r}; there are: {', '.join(self.galleries)}"
                )
        wanted = [(name, embedding_space) for name in dict.fromkeys(galleries)]
        indexes = [self.indexes[key] for key in wanted if key in self.indexes]
        if not indexes:
            self._refuse_other_spaces(embedding_space, galleries)
        hits = best_hits((hit for index in indexes for hit in index.search(probe, k)), k)
        return Candidates(
            profile_ids=tuple(hit.profile_id for hit in hits),
            similarities=np.array([-hit.distance for hit in hits], np.float32),
            searched=_people(indexes),
            revision=self.revision,
            templates=sum(index.templates for index in indexes),
        )

    def _refuse_other_spaces(self, embedding_space: str, galleries: Sequence[str]) -> None:
        others = sorted({space for name, space in self.indexes if name in galleries})
        if others:
            raise EmbeddingSpaceError(
                f"nobody in {', '.join(galleries)} is enrolled in the embedding space "
                f"{embedding_space}, but people are in {', '.join(others)}: enrol them again, or "
                "set analysis.embedder to the network that they were enrolled with"
            )


def _updated(
    index: VectorIndex | None,
    people: NDArray[np.int64],
    members: NDArray[np.int64],
    rows: IndexedRows | None,
) -> VectorIndex | None:
    """Bring one index up to date; None stays None when nobody is to be added."""
    added = None if rows is None else rows[np.isin(rows.people, members)]
    if index is None:
        if added is None or not len(added):
            return None
        index = VectorIndex(added.embeddings.shape[1])
    if added is None:
        added = IndexedRows(
            np.zeros((0, index.size), np.float32), np.zeros(0, np.int64), np.zeros(0, np.bytes_)
        )
    return index.updated(people, added)


def _people(indexes: Sequence[VectorIndex]) -> int:
    """Count the people of several indexes, each once."""
    if len(indexes) == 1:
        return indexes[0].searched
    return len(np.unique(np.concatenate([np.zeros(0, np.int64), *(i.people for i in indexes)])))
