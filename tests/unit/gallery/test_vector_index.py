"""Search against NumPy, over any history of changes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facerec.errors import ArrayError
from facerec.gallery.index.rows import IndexedRows
from facerec.gallery.index.vector_index import SMALL, Hit, VectorIndex, best_hits, merge
from facerec.gallery.index.vector_segment import Segment

SIZE = 8


def unit(rng: np.random.Generator, count: int, size: int = SIZE) -> NDArray[np.float32]:
    x = rng.normal(size=(count, size)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def rows(people: list[int], embeddings: NDArray[np.float32]) -> IndexedRows:
    ids = np.array([f"p-{person}".encode() for person in people] or [b""])[: len(people)]
    return IndexedRows(embeddings, np.array(people, np.int64), ids)


def none() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


def brute_force(
    templates: dict[int, NDArray[np.float32]], probe: NDArray[np.float32], k: int
) -> list[tuple[int, float]]:
    scores = [(person, float(np.max(t @ probe))) for person, t in templates.items()]
    return sorted(scores, key=lambda pair: (-pair[1], pair[0]))[:k]


# Each step: who is written (their new number of templates, 0 to forget them), in one change.
histories = st.lists(
    st.dictionaries(st.integers(1, 12), st.integers(0, 5), min_size=1, max_size=6), max_size=12
)


@settings(max_examples=150)
@given(histories, st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_any_history_of_changes_finds_what_brute_force_finds(
    history: list[dict[int, int]], k: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    index, model = VectorIndex(SIZE), dict[int, NDArray[np.float32]]()
    for step in history:
        written = {person: unit(rng, count) for person, count in sorted(step.items()) if count}
        people = [person for person, t in written.items() for _ in t]
        vectors = np.concatenate([*written.values(), np.zeros((0, SIZE), np.float32)])
        index = index.updated(np.array(sorted(step), np.int64), rows(people, vectors))
        model = {person: t for person, t in model.items() if person not in step} | written
        probe = unit(rng, 1)[0]
        expected = brute_force(model, probe, k)
        found = index.search(probe, k)
        assert [hit.person for hit in found] == [person for person, _ in expected]
        assert [-hit.distance for hit in found] == pytest.approx(
            [score for _, score in expected], abs=1e-6
        )
        assert [hit.profile_id for hit in found] == [f"p-{person}" for person, _ in expected]
        assert index.people.tolist() == sorted(model)
        assert index.searched == len(model)


def test_twenty_thousand_templates_find_what_brute_force_finds() -> None:
    rng = np.random.default_rng(1)
    people = np.sort(rng.integers(1, 6000, 20_000))
    vectors = unit(rng, 20_000, 128)
    index = VectorIndex(128)
    for part in np.split(np.arange(20_000), [1, 2, 100, 5000, 19_000]):
        # A person's templates must come in one change, so move the cuts to where people change.
        whole = np.isin(people, people[part]) & ~np.isin(people, index.people)
        index = index.updated(none(), rows(people[whole].tolist(), vectors[whole]))
    assert index.searched == len(np.unique(people))
    starts = np.unique(people, return_index=True)[1]
    for probe in unit(rng, 200, 128):
        best = np.maximum.reduceat(vectors @ probe, starts)
        order = np.argsort(-best)[:3]
        found = index.search(probe, 3)
        assert [hit.person for hit in found] == people[starts[order]].tolist()
        assert np.allclose([-hit.distance for hit in found], best[order], atol=1e-6)


def test_an_old_index_still_answers_as_it_did() -> None:
    rng = np.random.default_rng(2)
    vectors = unit(rng, 4)
    old = VectorIndex(SIZE).updated(none(), rows([1, 2], vectors[:2]))
    new = old.updated(np.array([1], np.int64), rows([3, 4], vectors[2:]))
    newer = new.updated(np.array([2, 3], np.int64), rows([], vectors[:0]))
    for index, people in ((old, [1, 2]), (new, [2, 3, 4]), (newer, [4])):
        assert sorted(hit.person for hit in index.search(vectors[0], 9)) == people


def test_people_with_the_same_score_come_in_the_order_of_enrolment() -> None:
    same = np.repeat(unit(np.random.default_rng(3), 1), 3, axis=0)
    index = VectorIndex(SIZE).updated(none(), rows([7, 5, 6], same))
    assert [hit.person for hit in index.search(same[0], 3)] == [5, 6, 7]


def test_adding_one_at_a_time_copies_little() -> None:
    """The segments' sizes must at least double from one to the next, so that they stay few."""
    rng = np.random.default_rng(4)
    index = VectorIndex(SIZE)
    for person in range(1, 1025):
        index = index.updated(none(), rows([person], unit(rng, 1)))
        sizes = [len(segment) for segment in index._segments]
        assert sum(sizes) == person
        assert all(a >= 2 * b for a, b in itertools.pairwise(sizes))


def test_forgotten_people_do_not_take_up_memory_for_ever() -> None:
    rng = np.random.default_rng(5)
    index = VectorIndex(SIZE).updated(none(), rows(list(range(100)), unit(rng, 100)))
    for person in range(60):
        index = index.updated(np.array([person], np.int64), rows([], unit(rng, 0)))
    assert sum(len(segment) for segment in index._segments) <= 2 * index.searched
    assert index.updated(np.arange(100), rows([], unit(rng, 0)))._segments == ()


def test_probe_of_another_length_is_refused() -> None:
    with pytest.raises(ArrayError, match=r"shape \(8,\)"):
        VectorIndex(SIZE).search(np.ones(9, np.float32) / 3, 1)


def test_best_hits_gives_everybody_once_with_their_best_score() -> None:
    hits = [Hit(-0.5, 1, "a"), Hit(-0.9, 2, "b"), Hit(-0.7, 1, "a"), Hit(-0.1, 3, "c")]
    assert [(hit.person, hit.distance) for hit in best_hits(hits, 2)] == [(2, -0.9), (1, -0.7)]


def large(people: range, rng: np.random.Generator) -> IndexedRows:
    """Two templates a person."""
    numbers = np.repeat(np.array(people), 2).tolist()
    return rows(numbers, unit(rng, len(numbers)))


@settings(max_examples=25)
@given(
    st.lists(st.sets(st.integers(0, 5 * SMALL // 2), max_size=40), min_size=2, max_size=4),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_segments_that_are_merged_while_people_come_and_go(
    leaving: list[set[int]], empty_one: bool, seed: int
) -> None:
    """Everything changes between the beginning of merging and its end; nobody is lost or back."""
    rng, half = np.random.default_rng(seed), SMALL // 2
    parts = [large(range(n * (half + 9), (n + 1) * (half + 9)), rng) for n in range(3)]
    index = VectorIndex(SIZE, tuple(Segment.of(part) for part in parts))
    model = {
        int(person): part.embeddings[part.people == person]
        for part in parts
        for person in np.unique(part.people)
    }
    index, model = forgotten(index, model, leaving[0])
    waiting = index.to_merge()
    assert len(waiting) == 2  # of like size
    merger = merge(waiting)
    if empty_one:
        leaving = [*leaving, set(parts[2].people.tolist())]
    for who in leaving[1:]:
        index, model = forgotten(index, model, who)
        new = {person: unit(rng, 1) for person in sorted(who)[:2]}  # some come back, changed
        index = index.updated(
            none(), rows(list(new), np.concatenate([*new.values(), unit(rng, 0)]))
        )
        model |= new
    merged = index.merged(merger)
    assert merged.people.tolist() == index.people.tolist() == sorted(model)
    assert merged.templates == sum(len(templates) for templates in model.values())
    for probe in unit(rng, 3):
        expected = brute_force(model, probe, 3)
        for found in (merged.search(probe, 3), index.search(probe, 3)):
            assert [hit.person for hit in found] == [person for person, _ in expected]


def forgotten(
    index: VectorIndex, model: dict[int, NDArray[np.float32]], who: set[int]
) -> tuple[VectorIndex, dict[int, NDArray[np.float32]]]:
    left = {person: templates for person, templates in model.items() if person not in who}
    return index.updated(
        np.array(sorted(who), np.int64), rows([], unit(np.random.default_rng(), 0))
    ), left


def test_merging_until_all_is_well_leaves_few_segments() -> None:
    rng = np.random.default_rng(6)
    index = VectorIndex(SIZE)
    for n in range(9):
        index = index.updated(none(), large(range(n * SMALL, (n + 1) * SMALL), rng))
        while waiting := index.to_merge():
            index = index.merged(merge(waiting))
        sizes = [len(segment) for segment in index._segments]
        assert sum(sizes) == 2 * (n + 1) * SMALL
        assert all(a >= 2 * b for a, b in itertools.pairwise(sizes))
    index = index.updated(np.arange(5 * SMALL), rows([], unit(rng, 0)))
    while waiting := index.to_merge():
        index = index.merged(merge(waiting))
    assert sum(len(segment) for segment in index._segments) <= 2 * index.templates
    gone = index.updated(np.arange(9 * SMALL), rows([], unit(rng, 0)))
    assert gone.templates == 0 and gone.search(unit(rng, 1)[0], 2) == []
