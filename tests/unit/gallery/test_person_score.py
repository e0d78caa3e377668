"""How a person is scored by their templates, against cases by hand and a plain loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facerec.gallery.index_rows import IndexedRows
from facerec.gallery.index_rules import IndexRules
from facerec.gallery.person_score import MAXIMUM, PersonScore
from facerec.gallery.vector_index import VectorIndex
from facerec.gallery.vector_scan import COMPRESSED_FROM


@pytest.mark.parametrize(
    ("best_of", "expected"),
    [(1, [0.9, 0.5, 0.2]), (2, [0.8, 0.5, 0.15]), (3, [0.6, 0.5, 0.1]), (9, [0.6, 0.5, 0.1])],
)
def test_by_hand(best_of: int, expected: list[float]) -> None:
    """Three people: .7 .9 .2; .5 alone, who is scored by that; .1 .2 .0."""
    similarities = np.array([0.7, 0.9, 0.2, 0.5, 0.1, 0.2, 0.0], np.float32)
    starts = np.array([0, 3, 4])
    score = PersonScore(best_of)
    assert score.scores(similarities, starts) == pytest.approx(expected)
    parts = np.split(similarities, starts[1:])
    assert [score.one(part) for part in parts] == pytest.approx(expected)


@given(
    st.lists(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=6), min_size=1, max_size=8),
    st.integers(1, 4),
)
def test_against_a_plain_loop(people: list[list[float]], best_of: int) -> None:
    starts = np.cumsum([0, *map(len, people)])[:-1]
    score = PersonScore(best_of)
    found = score.scores(np.array([s for p in people for s in p], np.float32), starts)
    for given_, scored in zip(people, found, strict=True):
        best = sorted(given_, reverse=True)[:best_of]
        assert scored == pytest.approx(sum(best) / len(best), abs=1e-6)
        assert scored <= max(given_) + 1e-6  # what lets a search stop


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3))
def test_search_by_the_mean_of_the_best_equals_brute_force(seed: int, best_of: int, k: int) -> None:
    check(np.random.default_rng(seed), 60, 8, best_of, k)


def test_search_among_codes_by_the_mean_of_the_best_equals_brute_force() -> None:
    rng = np.random.default_rng(1)
    for best_of in (1, 3):
        check(rng, COMPRESSED_FROM // 2, 32, best_of, 3)


def check(rng: np.random.Generator, people: int, size: int, best_of: int, k: int) -> None:
    counts = rng.integers(1, 5, people)
    numbers = np.repeat(np.arange(people), counts)
    centres = rng.standard_normal((people, size))[numbers]
    vectors = (centres + rng.standard_normal(centres.shape)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = np.array([b"p%d" % number for number in numbers])
    rows = IndexedRows(vectors, numbers, ids)
    index = VectorIndex(size, rules=IndexRules(PersonScore(best_of)))
    index = index.updated(np.zeros(0, np.int64), rows)
    for probe in (vectors[len(vectors) // 2], *-vectors[:3]):
        parts = np.split(vectors @ probe, np.cumsum(counts)[:-1])
        means = np.array([np.mean(np.sort(part)[::-1][:best_of]) for part in parts])
        order = np.argsort(-means, kind="stable")[:k]
        found = index.search(probe, k, index.rules.score)
        assert [-hit.distance for hit in found] == pytest.approx(means[order], abs=1e-6)
        assert [means[hit.person] for hit in found] == pytest.approx(means[order], abs=1e-6)


def test_the_maximum_is_the_mean_of_the_best_one() -> None:
    assert MAXIMUM == PersonScore(1)
