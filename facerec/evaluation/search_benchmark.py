"""Speed, memory and exactness of the gallery's search at a given size, on made-up templates.

The people are those of `search_population`. A gallery goes through a real database, so that opening
it is measured too, unless there are too many for that: then only the index is made, in memory.
"""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from facerec.errors import EvaluationError
from facerec.evaluation.search_population import Population
from facerec.gallery.gallery import Gallery
from facerec.gallery.index.index_set import IndexSet
from facerec.gallery.index.rows import Changes, IndexedRows
from facerec.gallery.index.rules import MAXIMA, IndexRules
from facerec.gallery.index.scan_parts import give_back
from facerec.gallery.profile import Candidates, NewProfile, NewTemplate

__all__ = [
    "SearchTimes",
    "fill_with_people",
    "measure_index",
    "measure_search",
    "resident_bytes",
]

_SPACE = "benchmark"
_PEOPLE_AT_ONCE = 10_000
_WARM_UP = 10
"""Searches that are run and not counted."""
_ROWS_AT_ONCE = 16_384

_Search = Callable[[NDArray[np.float32]], Candidates]


@dataclass(frozen=True)
class SearchTimes:
    """What searching cost.

    Attributes:
        templates: Templates searched, one a person.
        index: How they are searched, in the words of `Candidates.index`.
        probes: Number of searches that were timed, of enrolled people and of strangers alike.
        p50_ms: Median time of one search, through the gallery's front door.
        p99_ms: The time that 99 of 100 searches keep to.
        recall_at_1: Share of probes of enrolled people whose best person is the one of a search by
            NumPy.
        recall_at_1_non_mated: The same for strangers, whose best person is somebody else.
        largest_score_error: Largest difference of a best score to NumPy's, where the person is the
            same.
        bytes_per_template: Memory that the process grew by when it opened the gallery or made the
            index, templates included, a template.
        open_from_snapshot_s: Time from opening the gallery to its first answer; None without one.
        open_from_database_s: The same without a snapshot; of an index alone the time to make it.
    """

    templates: int
    index: str
    probes: int
    p50_ms: float
    p99_ms: float
    recall_at_1: float
    recall_at_1_non_mated: float
    largest_score_error: float
    bytes_per_template: float
    open_from_snapshot_s: float | None
    open_from_database_s: float


def fill_with_people(
    path: Path,
    count: int,
    size: int,
    seed: int = 0,
    *,
    embedding_space: str = _SPACE,
    told: Callable[[int], None] = lambda _: None,
) -> NDArray[np.float32]:
    """Enrol `count` people of one template each in a new gallery; return the templates (n, d).

    `told` is called with how many more are enrolled.
    """
    embeddings = Population(count, size, seed).enrolled()
    with Gallery.open(path, snapshot_every=count) as gallery:
        for start in range(0, count, _PEOPLE_AT_ONCE):
            some = embeddings[start : start + _PEOPLE_AT_ONCE]
            gallery.enrol_many(
                [
                    NewProfile(
                        "somebody",
                        [NewTemplate(embedding, embedding_space, 1.0, "benchmark")],
                        ["default"],
                        profile_id=f"p-{start + number:09d}",
                    )
                    for number, embedding in enumerate(some)
                ]
            )
            told(len(some))
    return embeddings


def measure_search(
    path: Path,
    embeddings: NDArray[np.float32],
    probes: int,
    seed: int = 0,
    rules: IndexRules = MAXIMA,
) -> SearchTimes:
    """Open the gallery that `fill_with_people` made, without and with a snapshot, and search it.

    Args:
        path: The gallery's database.
        embeddings: What it holds.
        probes: How many searches of enrolled people to time, and as many of strangers, at least 1.
        seed: Of the people, as they were enrolled.
        rules: How they are searched for.

    Raises:
        EvaluationError: a search answered with nobody.
    """
    people = Population(len(embeddings), embeddings.shape[1], seed)

    @contextmanager
    def opened() -> Iterator[_Search]:
        with Gallery.open(path, rules=rules) as gallery:
            yield lambda probe: gallery.search(probe, embedding_space=_SPACE)

    started = perf_counter()
    with Gallery.open(path, rules=rules) as gallery:
        gallery.search(embeddings[0], embedding_space=_SPACE)
        from_database_s = perf_counter() - started
        gallery.save_snapshot()
    before = _resident_after_collection()
    started = perf_counter()
    with opened() as search:
        search(embeddings[0])
        from_snapshot_s = perf_counter() - started
        grown = resident_bytes() - before
        return _measured(
            people, embeddings, search, probes, grown, from_snapshot_s, from_database_s
        )


def measure_index(
    count: int,
    size: int,
    probes: int,
    seed: int = 0,
    rules: IndexRules = MAXIMA,
    told: Callable[[int], None] = lambda _: None,
) -> SearchTimes:
    """Make the index of so many people in memory, without a database, and search it.

    Args:
        count: How many people, of one template each.
        size: Numbers in a template.
        probes: As in `measure_search`.
        seed: Of the people.
        rules: How they are searched for.
        told: Called with how many more people are made.

    Raises:
        EvaluationError: a search answered with nobody.
    """
    people = Population(count, size, seed)
    before = _resident_after_collection()
    embeddings = people.enrolled(told)
    state = _everybody(embeddings)
    started = perf_counter()
    index = IndexSet(rules=rules).updated(state)
    made_s = perf_counter() - started
    del state
    gc.collect()
    give_back()  # as a server does every second

    def search(probe: NDArray[np.float32]) -> Candidates:
        return index.search(probe, _SPACE, ["default"], 2)

    grown = resident_bytes() - before
    return _measured(people, embeddings, search, probes, grown, None, made_s)


def _everybody(embeddings: NDArray[np.float32]) -> Changes:
    """Return what makes an empty index into one of people with one template each."""
    count = len(embeddings)
    ids = np.concatenate(
        [
            np.array([b"p-%09d" % n for n in range(start, min(start + _ROWS_AT_ONCE, count))])
            for start in range(0, count, _ROWS_AT_ONCE)
        ]
    )
    rows, members = IndexedRows(embeddings, np.arange(count), ids), {"default": np.arange(count)}
    return Changes(1, "1", "", np.zeros(0, np.int64), {_SPACE: rows}, members)


def resident_bytes() -> int:
    """Return the memory that this process has in use (Linux's ``/proc``)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _resident_after_collection() -> int:
    gc.collect()
    return resident_bytes()


def _measured(
    people: Population,
    embeddings: NDArray[np.float32],
    search: _Search,
    probes: int,
    grown: int,
    from_snapshot_s: float | None,
    from_database_s: float,
) -> SearchTimes:
    """Time searches of enrolled people and strangers, and compare their answers with NumPy's."""
    _, mated = people.looked_at(probes)
    looks = np.concatenate([mated, people.strangers(probes)])
    times, found = _timed(search, looks)
    # Afterwards, since it reads so much that the next search would begin with a cold cache.
    rows, similarities = _brute_force(embeddings, looks)
    right, errors = np.zeros(len(looks), np.bool_), [0.0]
    for place, answer in found:
        right[place] = answer.profile_ids[0] == f"p-{int(rows[place]):09d}"
        if right[place]:
            errors.append(abs(float(answer.similarities[0]) - float(similarities[place])))
    p50, p99 = np.percentile(times, [50, 99]) * 1000
    return SearchTimes(
        templates=len(embeddings),
        index=found[0][1].index,
        probes=len(looks),
        p50_ms=float(p50),
        p99_ms=float(p99),
        recall_at_1=float(right[:probes].mean()),
        recall_at_1_non_mated=float(right[probes:].mean()),
        largest_score_error=max(errors),
        bytes_per_template=grown / len(embeddings),
        open_from_snapshot_s=from_snapshot_s,
        open_from_database_s=from_database_s,
    )


def _timed(
    search: _Search, looks: NDArray[np.float32]
) -> tuple[list[float], list[tuple[int, Candidates]]]:
    """Search for looks in a random order; return the times in seconds, and each look's answer."""
    for look in looks[:_WARM_UP]:
        search(look)
    times, found = [], []
    for place in np.random.default_rng(3).permutation(len(looks)).tolist():
        started = perf_counter()
        answer = search(looks[place])
        times.append(perf_counter() - started)
        if not len(answer):
            raise EvaluationError("a search of the benchmark's gallery answered with nobody")
        found.append((place, answer))
    return times, found


def _brute_force(
    embeddings: NDArray[np.float32], probes: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the row most like each probe of all, and how alike it is."""
    every = np.arange(len(probes))
    rows, highest = np.zeros(len(probes), np.int64), np.full(len(probes), -np.inf, np.float32)
    for start in range(0, len(embeddings), _ROWS_AT_ONCE):
        similarities = probes @ embeddings[start : start + _ROWS_AT_ONCE].T
        best = similarities.argmax(axis=1)
        better = similarities[every, best] > highest
        rows[better] = best[better] + start
        highest[better] = similarities[every, best][better]
    return rows, highest
