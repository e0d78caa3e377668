"""Templates that are searched together; what was made never changes, but people can be left out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facerec.gallery.index.cluster_scan import CLUSTERED_FROM, ClusterScan
from facerec.gallery.index.list_plan import ListPlan
from facerec.gallery.index.person_score import PersonScore, lengths_of_means
from facerec.gallery.index.rows import IndexedRows, sorted_by_person, starts_of
from facerec.gallery.index.vector_scan import Scanned, VectorScan, exact_scan

__all__ = ["Hit", "Segment", "best_hits"]

_WIDER = 2
"""How many times more rows a scan is asked for when it was not enough."""

_FEW_ROWS = 24
"""So many rows are scored one person after the other."""

_FOREMOST = 64
"""Rows that are scored first, to tell which of the others need not be."""

_ROWS_AT_ONCE = 65_536
"""Rows that are scored at a time when all are."""


@dataclass(frozen=True, order=True)
class Hit:
    """One person's score against a probe; sorts best first, then by who was enrolled first.

    Attributes:
        distance: The negated score, so that the natural order is best first.
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


class _Core:
    """What of a segment never changes: all its rows, sorted by person, and their scan.

    Attributes:
        mean_lengths: float32 (n,): of each row, the length of the mean of its person's templates;
            None when nobody has two.
        shortest_mean: The least of them.
    """

    def __init__(self, rows: IndexedRows, approximate_from: int, plan: ListPlan | None) -> None:
        self.rows = sorted_by_person(rows)
        self.approximate_from = approximate_from
        self.scan = _scan(self.rows.embeddings, approximate_from, plan)
        starts = starts_of(self.rows.people)
        self.persons = len(starts)
        counts = np.diff(np.append(starts, len(rows)))
        self.most_templates = int(counts.max())
        lengths = lengths_of_means(self.rows.embeddings, starts)
        self.shortest_mean = float(lengths.min())
        self.mean_lengths = None if self.most_templates == 1 else np.repeat(lengths, counts)

    def span(self, row: int) -> tuple[int, int]:
        """Return the first row of the person of a row, and the one after their last."""
        people, person = self.rows.people, self.rows.people.item(row)
        start, end = row, row + 1
        while start > 0 and people.item(start - 1) == person:
            start -= 1
        while end < len(people) and people.item(end) == person:
            end += 1
        return start, end

    def mean_length(self, row: int) -> float:
        """Return the length of the mean of the templates of a row's person."""
        return 1.0 if self.mean_lengths is None else float(self.mean_lengths.item(row))

    def rows_of(self, people: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the numbers of all rows of people, each of whom is here; sorted as they are."""
        first = np.searchsorted(self.rows.people, people, "left")
        counts = np.searchsorted(self.rows.people, people, "right") - first
        ends = np.cumsum(counts)
        inside = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
        rows: NDArray[np.int64] = np.repeat(first, counts) + inside
        return rows


@dataclass(frozen=True, eq=False)
class Segment:
    """Templates that are searched together, of people some of whom may be left out.

    Attributes:
        core: Its rows.
        dead: uint8: one bit a row, little-endian, set when its person is left out; None for nobody.
        live_rows: Number of rows that can be found.
        live_people: Number of people who can be found.
    """

    core: _Core
    dead: NDArray[np.uint8] | None
    live_rows: int
    live_people: int

    @classmethod
    def of(
        cls, rows: IndexedRows, approximate_from: int = 0, plan: ListPlan | None = None
    ) -> "Segment":
        """Make a segment of all templates of some people, at least one.

        Args:
            rows: The templates.
            approximate_from: As `IndexRules.approximate_from`.
            plan: How they were kept in lists before, if they were.
        """
        core = _Core(rows, approximate_from, plan)
        return cls(core, None, len(rows), core.persons)

    def __len__(self) -> int:
        return len(self.core.rows)

    @property
    def embedding_size(self) -> int:
        """Length of the embeddings."""
        return int(self.core.rows.embeddings.shape[1])

    @property
    def approximation(self) -> str:
        """What is approximate about its answers, in words; "" when nothing is."""
        return self.core.scan.description

    @property
    def people(self) -> NDArray[np.int64]:
        """Sorted numbers of the people who can be found."""
        people = self.core.rows.people[self._live()]
        return people[starts_of(people)]

    def has(self, people: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of some people can be found here."""
        numbers = self.core.rows.people
        row = np.minimum(np.searchsorted(numbers, people), len(numbers) - 1)
        here: NDArray[np.bool_] = numbers[row] == people
        return here & ~self._is_dead(row)

    def without(self, people: NDArray[np.int64]) -> "Segment":
        """Return a segment that shares these rows and no longer finds `people`, each named once."""
        leaving = people[self.has(people)]
        if not len(leaving):
            return self
        rows = self.core.rows_of(leaving)
        dead = np.zeros(-(-len(self) // 8), np.uint8) if self.dead is None else self.dead.copy()
        np.bitwise_or.at(dead, rows >> 3, (1 << (rows & 7)).astype(np.uint8))
        return replace(
            self,
            dead=dead,
            live_rows=self.live_rows - len(rows),
            live_people=self.live_people - len(leaving),
        )

    def live(self) -> IndexedRows:
        """Return the templates that it finds."""
        return self.core.rows if self.dead is None else self.core.rows[self._live()]

    def search(self, probe: NDArray[np.float32], k: int, score: PersonScore) -> list[Hit]:
        """Return the `k` best people.

        People are scored in full, so an answer is right when nobody outside can be better: nobody
        scores beyond what their highest similarity allows, and that of whoever was not found is not
        above the ceiling of the scan. Otherwise the scan goes deeper. (A scan that reads a part
        only has no ceiling; the foremost in that part are scored in full all the same.)
        """
        wanted = min(k, self.live_people)
        places = (wanted - 1) * self.core.most_templates + 1 + self.core.scan.spare
        while wanted and places < len(self) // 2:
            scanned = self.core.scan.best(probe, places)
            if len(scanned.rows) <= _FEW_ROWS:
                hits = self._few_scored(probe, scanned.rows, wanted, score)
            else:
                hits = self._many_scored(probe, scanned, wanted, score)
            reach = score.reach(np.array([scanned.ceiling], np.float32), self.core.shortest_mean)
            if len(hits) == wanted and -hits[-1].distance > reach[0]:
                return hits
            places *= _WIDER
        return self._all_scored(probe, wanted, score)

    def _few_scored(
        self, probe: NDArray[np.float32], found: NDArray[np.int64], k: int, score: PersonScore
    ) -> list[Hit]:
        """Score the people of a few rows; return the `k` best.

        NumPy's functions over many rows let go of the interpreter's lock, and each of them then may
        wait for a writer that has it: in plain Python few people cost less, and far less at worst.
        """
        rows, hits = self.core.rows, dict[int, Hit]()
        for row in found.tolist():
            person = rows.people.item(row)
            if person in hits or (
                self.dead is not None and self.dead.item(row >> 3) >> (row & 7) & 1
            ):
                continue
            start, end = self.core.span(row)
            similarities = np.einsum("ij,j->i", rows.embeddings[start:end], probe)
            scored = score.one(similarities, self.core.mean_length(row))
            hits[person] = Hit(-scored, person, rows.profile_ids.item(start).decode())
        return sorted(hits.values())[:k]

    def _many_scored(
        self, probe: NDArray[np.float32], scanned: Scanned, k: int, score: PersonScore
    ) -> list[Hit]:
        """Score the people of rows that could be of the `k` best, given the foremost."""
        return self._scored(probe, self._worth_scoring(probe, scanned, k, score), k, score)

    def _worth_scoring(
        self, probe: NDArray[np.float32], scanned: Scanned, k: int, score: PersonScore
    ) -> NDArray[np.int64]:
        """Return the rows of people who may score as high as the k-th best of the foremost.

        What the scan knows already leaves a few thousand rows in a million, and what comparing
        with those rows alone tells leaves a few: each step costs a part of the next one.
        """
        rows, most = scanned.rows, scanned.most
        if len(rows) <= _FOREMOST:
            return rows
        foremost = np.argpartition(-most, _FOREMOST)[:_FOREMOST]
        hits = self._scored(probe, rows[foremost], k, score)
        if len(hits) < k:
            return rows
        least, shortest = -hits[-1].distance, self.core.shortest_mean
        kept = np.zeros(len(rows), np.bool_)
        kept[foremost] = True  # their people may have rows that a scan of a part did not read
        worth = kept | (score.reach(most, shortest) >= least)
        rows, kept = rows[worth], kept[worth]
        # NumPy takes rows in half the time that indexing by them does.
        vectors = self.core.rows.embeddings.take(rows, axis=0)
        similarities = np.einsum("ij,j->i", vectors, probe)
        return rows[kept | (score.reach(similarities, shortest) >= least)]

    def _all_scored(self, probe: NDArray[np.float32], k: int, score: PersonScore) -> list[Hit]:
        hits: list[Hit] = []
        for start in range(0, len(self), _ROWS_AT_ONCE):
            rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(self)))
            hits = best_hits([*hits, *self._scored(probe, rows, k, score)], k)
        return hits

    def _scored(
        self, probe: NDArray[np.float32], found: NDArray[np.int64], k: int, score: PersonScore
    ) -> list[Hit]:
        """Score the people of rows by all their templates, and return the `k` best."""
        rows = self.core.rows
        if self.dead is not None:
            found = found[~self._is_dead(found)]
        people = rows.people[found]
        starts = np.arange(len(found))
        if self.core.most_templates > 1:
            people = np.unique(people)
            found = self.core.rows_of(people)
            starts = starts_of(rows.people[found])
        if not len(found):
            return []
        # Row by row, so that equal templates score equal to the last bit wherever they stand; the
        # sums of a matrix product depend on the number of rows.
        similarities = np.einsum("ij,j->i", rows.embeddings[found], probe)
        lengths = self.core.mean_lengths
        own = None if lengths is None else lengths[found[starts]]
        scores = score.scores(similarities, starts, own)
        best = np.arange(len(scores))
        if k < len(scores):
            best = np.flatnonzero(scores >= np.partition(scores, -k)[-k])
        best = best[np.lexsort((people[best], -scores[best]))][:k]
        return [
            Hit(-float(scores[i]), int(people[i]), rows.profile_ids[found[starts[i]]].decode())
            for i in best
        ]

    def _is_dead(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        if self.dead is None:
            return np.zeros(len(rows), np.bool_)
        bits = self.dead[rows >> 3] >> (rows & 7).astype(np.uint8) & 1
        dead: NDArray[np.bool_] = bits.astype(np.bool_)
        return dead

    def _live(self) -> NDArray[np.bool_]:
        if self.dead is None:
            return np.ones(len(self), np.bool_)
        live: NDArray[np.bool_] = np.unpackbits(self.dead, count=len(self), bitorder="little") == 0
        return live


def _scan(
    embeddings: NDArray[np.float32], approximate_from: int, plan: ListPlan | None
) -> VectorScan:
    if approximate_from and len(embeddings) >= max(approximate_from, CLUSTERED_FROM):
        return ClusterScan(embeddings, plan=plan)
    return exact_scan(embeddings)
