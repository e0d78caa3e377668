"""Search among the templates of one gallery and embedding space.

FAISS must not add to an index while another thread searches it, and copying an index for every
enrolment would make enrolling n people cost n squared. So an index here never changes: it is a
short row of *segments*, each with a scan that is complete when it is made. A change gives a new
`VectorIndex` that shares the old one's segments, leaves people out of them, and has what is new in
a small one, which is made anew with each change until it is large. Large segments of like size are
merged, so that there are at most log2(n) of them and a template is copied log2(n) times in all (the
logarithmic method of Bentley and Saxe, 1980). That is for somebody who has the time: `merge` makes
the new segment from those of any one moment, and `merged` puts it in the place of what they have
become meanwhile. Whoever searches an old index goes on doing so.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError
from facerec.gallery.index.list_plan import ListPlan
from facerec.gallery.index.person_score import MAXIMUM, PersonScore
from facerec.gallery.index.rows import IndexedRows, joined_rows
from facerec.gallery.index.rules import MAXIMA, IndexRules
from facerec.gallery.index.vector_segment import Hit, Segment, best_hits

__all__ = ["SMALL", "Hit", "Merger", "VectorIndex", "best_hits", "merge"]

SMALL = 2048
"""Segments of fewer rows are made anew at once, in under a millisecond."""


@dataclass(frozen=True, eq=False)
class Merger:
    """Neighbouring segments that are to become one, and what they become.

    Attributes:
        old: The segments, as they were when the work began.
        new: What their people make up; None when there is nobody left.
    """

    old: tuple[Segment, ...]
    new: Segment | None


@dataclass(frozen=True, eq=False)
class VectorIndex:
    """An immutable index by inner product; safe to search from any number of threads.

    Attributes:
        size: Length of the embeddings.
        rules: How it searches.
    """

    size: int
    _segments: tuple[Segment, ...] = ()
    rules: IndexRules = MAXIMA

    @cached_property
    def people(self) -> NDArray[np.int64]:
        """Sorted numbers of the people who can be found."""
        parts = [np.zeros(0, np.int64), *(segment.people for segment in self._segments)]
        return np.sort(np.concatenate(parts))

    @property
    def searched(self) -> int:
        """Number of people who can be found."""
        return sum(segment.live_people for segment in self._segments)

    @property
    def templates(self) -> int:
        """Number of templates that can be found."""
        return sum(segment.live_rows for segment in self._segments)

    @property
    def how(self) -> str:
        """How it searches, as `Candidates.index`."""
        found = dict.fromkeys(s.approximation for s in self._segments if s.approximation)
        return "; ".join(found) or "exact"

    @property
    def plan(self) -> ListPlan | None:
        """How most of the templates are kept in lists, if they are."""
        largest = max(self._segments, key=len, default=None)
        return None if largest is None else largest.core.scan.plan

    def has(self, people: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of some people can be found, bool (n,)."""
        found = np.zeros(len(people), np.bool_)
        for segment in self._segments:
            found |= segment.has(people)
        return found

    def rows(self) -> IndexedRows:
        """Return the templates that can be found; at least one person must be."""
        return joined_rows([segment.live() for segment in self._segments])

    def updated(
        self, forget: NDArray[np.int64], rows: IndexedRows, plan: ListPlan | None = None
    ) -> Self:
        """Return an index that no longer knows `forget`, and then also knows `rows`.

        Args:
            forget: int64 (n,): numbers of people, each once; those not in the index are passed
                over.
            rows: All the present templates of each person in it, who must be new or in `forget`.
            plan: How those were kept in lists before, if they were.
        """
        segments = [segment.without(forget) for segment in self._segments]
        segments = [_compacted(segment) for segment in segments if segment.live_rows]
        if len(rows):
            segments.append(Segment.of(rows, self.rules.approximate_from, plan))
        while len(segments) > 1 and _merge_at_once(*segments[-2:]):
            segments[-2:] = [Segment.of(joined_rows([s.live() for s in segments[-2:]]))]
        return type(self)(self.size, tuple(segments), self.rules)

    def to_merge(self) -> tuple[Segment, ...]:
        """Return neighbouring segments that should become one; none when all is well.

        They are large ones of like size, or one the greater part of whose rows are left out.
        """
        large = [segment for segment in self._segments if len(segment) >= SMALL]
        for place in range(len(large) - 1, 0, -1):
            if large[place - 1].live_rows < 2 * large[place].live_rows:
                return tuple(large[place - 1 : place + 1])
        return next(((segment,) for segment in large if 2 * segment.live_rows < len(segment)), ())

    def merged(self, merger: Merger) -> Self:
        """Return the same index with merged segments, without who left them meanwhile."""
        cores = [segment.core for segment in merger.old]
        now = {id(segment.core): segment for segment in self._segments}
        new, segments = merger.new, list[Segment]()
        for old in merger.old:
            present = now.get(id(old.core))
            stayed = np.zeros(0, np.int64) if present is None else present.people
            if new is not None:
                new = new.without(np.setdiff1d(old.people, stayed, assume_unique=True))
        for segment in self._segments:
            if segment.core not in cores:
                segments.append(segment)
            elif new is not None and new.live_rows:
                segments.append(new)
                new = None
        return type(self)(self.size, tuple(segments), self.rules)

    def search(self, probe: NDArray[np.float32], k: int, score: PersonScore = MAXIMUM) -> list[Hit]:
        """Return the at most `k` people with the highest scores, best first.

        Args:
            probe: float32 (size,), unit length.
            k: How many, at least 1.
            score: How a person is scored.

        Raises:
            ArrayError: the probe has another length.
        """
        if probe.shape != (self.size,):
            raise ArrayError(f"probe must have shape ({self.size},); received {probe.shape}")
        if len(self._segments) == 1:
            return self._segments[0].search(probe, k, score)
        return best_hits(
            (hit for segment in self._segments for hit in segment.search(probe, k, score)), k
        )


def merge(segments: tuple[Segment, ...]) -> Merger:
    """Make one segment of several; the slow part of merging, which needs no lock."""
    live = [segment.live() for segment in segments if segment.live_rows]
    if not live:
        return Merger(segments, None)
    return Merger(segments, Segment.of(joined_rows(live), segments[0].core.approximate_from))


def _compacted(segment: Segment) -> Segment:
    """Drop the rows of who was left out of a small segment, once they are the greater part."""
    worth_it = len(segment) < SMALL and 2 * segment.live_rows < len(segment)
    return Segment.of(segment.live()) if worth_it else segment


def _merge_at_once(first: Segment, second: Segment) -> bool:
    """Whether two neighbouring segments are so small that they are better one."""
    return len(first) < SMALL and len(second) < SMALL
