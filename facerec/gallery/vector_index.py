"""Exact search among the templates of one gallery and embedding space.

FAISS must not add to an index while another thread searches it, and copying an index for every
enrolment would make enrolling n people cost n squared. So an index here never changes: it is a
short row of *segments*, each with a FAISS index that is complete when it is made. A change gives a
new `VectorIndex` that shares the old one's segments and has a small one more; segments of like size
are merged, so that there are at most log2(n) of them and a template is copied log2(n) times in all
(the logarithmic method of Bentley and Saxe, 1980). Whoever searches the old index goes on doing so.

The best of a scan are scored again in float32, and the scan goes deeper until nobody outside it can
be better. So results are those of an exact search, although a large scan is in half precision.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError
from facerec.gallery.index_rows import IndexedRows, joined_rows
from facerec.gallery.vector_scan import RowMask, VectorScan

__all__ = ["Hit", "VectorIndex", "best_hits"]


_SPARE_PLACES = 8
"""How many more rows of a rounded scan than needed are scored again at first."""


@dataclass(frozen=True, order=True)
class Hit:
    """One person's score against a probe; sorts best first, then by who was enrolled first.

    Attributes:
        distance: The negated similarity, so that the natural order is best first.
        person: Number of the person.
        profile_id: Their id.
    """

    distance: float
    person: int
    profile_id: str


def best_hits(hits: Iterable[Hit], k: int) -> list[Hit]:
    """Return the `k` best people of several searches, each once, with their best score."""
    best: list[Hit] = []
    seen: set[int] = set()
    for hit in sorted(hits):
        if hit.person not in seen:
            seen.add(hit.person)
            best.append(hit)
    return best[:k]


class _Segment:
    """Templates that are searched together; complete when made, but people may be masked out."""

    def __init__(self, rows: IndexedRows) -> None:
        self.people = rows.people
        self.profile_ids = rows.profile_ids
        self.live: NDArray[np.bool_] | None = None
        self._embeddings = rows.embeddings
        self._scan = VectorScan(rows.embeddings)
        self._mask: RowMask | None = None
        unique, counts = np.unique(rows.people, return_counts=True)
        self.live_people: NDArray[np.int64] = unique
        self._most_templates = int(counts.max())

    def __len__(self) -> int:
        return len(self.people)

    @property
    def live_rows(self) -> int:
        return len(self) if self.live is None else int(np.count_nonzero(self.live))

    def without(self, people: NDArray[np.int64]) -> "_Segment":
        """Return a segment that shares these vectors and no longer finds `people`."""
        gone = np.isin(self.live_people, people, assume_unique=True)
        if not gone.any():
            return self
        other = object.__new__(_Segment)
        other.__dict__.update(self.__dict__)
        other.live_people = self.live_people[~gone]
        other.live = np.isin(self.people, other.live_people)
        other._mask = RowMask(other.live, self._scan.starts)
        return other

    def rows(self) -> IndexedRows:
        """Return the templates that it still finds."""
        rows = IndexedRows(self._embeddings, self.people, self.profile_ids)
        return rows if self.live is None else rows[self.live]

    def search(self, probe: NDArray[np.float32], k: int) -> list[Hit]:
        """Return the `k` best people.

        The `k` best people are certainly among the ``(k - 1) * m + 1`` best templates when nobody
        has more than `m`: were the k-th person further down, then fewer than k people would have
        filled all the places above.
        """
        rows = self.live_rows
        places = min(rows, (k - 1) * self._most_templates + 1)
        if places == 0:
            return []
        while True:
            if self._scan.error:
                places = min(rows, places + _SPARE_PLACES)
            scanned, found = self._scan.best(probe, places, self._mask)
            hits = self._scored(probe, found, k)
            highest_outside = float(scanned[-1]) + self._scan.error
            if not self._scan.error or places == rows or -hits[-1].distance > highest_outside:
                return hits
            places *= 4

    def _scored(self, probe: NDArray[np.float32], found: NDArray[np.int64], k: int) -> list[Hit]:
        """Score rows in float32 and return the `k` best people among them."""
        # Row by row, so that equal templates score equal to the last bit wherever they stand; the
        # sums of a matrix product depend on the number of rows.
        similarities = np.einsum("ij,j->i", self._embeddings[found], probe)
        return best_hits(
            (
                Hit(-float(similarity), int(self.people[row]), self.profile_ids[row].decode())
                for similarity, row in zip(similarities, found, strict=True)
            ),
            k,
        )


@dataclass(frozen=True, eq=False)
class VectorIndex:
    """An immutable exact index by inner product; safe to search from any number of threads.

    Attributes:
        size: Length of the embeddings.
    """

    size: int
    _segments: tuple[_Segment, ...] = ()

    @cached_property
    def people(self) -> NDArray[np.int64]:
        """Sorted numbers of the people who can be found, int64 (n,)."""
        if not self._segments:
            return np.zeros(0, np.int64)
        return np.sort(np.concatenate([segment.live_people for segment in self._segments]))

    @property
    def searched(self) -> int:
        """Number of people who can be found."""
        return sum(len(segment.live_people) for segment in self._segments)

    @property
    def templates(self) -> int:
        """Number of templates that can be found."""
        return sum(segment.live_rows for segment in self._segments)

    def rows(self) -> IndexedRows:
        """Return the templates that can be found; at least one person must be."""
        return joined_rows([segment.rows() for segment in self._segments])

    def updated(self, forget: NDArray[np.int64], rows: IndexedRows) -> Self:
        """Return an index that no longer knows `forget`, and then also knows `rows`.

        Args:
            forget: int64 (n,): numbers of people; those not in the index are passed over.
            rows: All the present templates of each person in it, who must be new or in `forget`.
        """
        segments = [segment.without(forget) for segment in self._segments]
        segments = [_compacted(segment) for segment in segments if segment.live_rows]
        if len(rows):
            segments.append(_Segment(rows))
        while len(segments) > 1 and len(segments[-2]) < 2 * len(segments[-1]):
            segments[-2:] = [_merged(segments[-2], segments[-1])]
        return type(self)(self.size, tuple(segments))

    def search(self, probe: NDArray[np.float32], k: int) -> list[Hit]:
        """Return the at most `k` people with the highest similarity of any template, best first.

        Args:
            probe: float32 (size,), unit length.
            k: How many, at least 1.

        Raises:
            ArrayError: the probe has another length.
        """
        if probe.shape != (self.size,):
            raise ArrayError(f"probe must have shape ({self.size},); received {probe.shape}")
        hits = [hit for segment in self._segments for hit in segment.search(probe, k)]
        return best_hits(hits, k)


def _compacted(segment: _Segment) -> _Segment:
    """Drop the vectors of people who are not found any more, once they are the greater part."""
    return segment if 2 * segment.live_rows >= len(segment) else _Segment(segment.rows())


def _merged(first: _Segment, second: _Segment) -> _Segment:
    return _Segment(joined_rows([first.rows(), second.rows()]))
