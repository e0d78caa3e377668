"""How a person is scored by their templates, against cases by hand and a plain loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facerec.gallery.index.person_score import (
    MAXIMUM,
    SHIPPED,
    SHORTEST_MEAN,
    PersonScore,
    lengths_of_means,
)
from facerec.gallery.index.rows import IndexedRows
from facerec.gallery.index.rules import IndexRules
from facerec.gallery.index.vector_index import VectorIndex
from facerec.gallery.index.vector_scan import COMPRESSED_FROM


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


def test_the_mean_template_by_hand() -> None:
    """Templates (1, 0) and (.6, .8): their mean (.8, .4) is sqrt(.8) long."""
    embeddings = np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32)
    starts = np.array([0, 2])
    lengths = lengths_of_means(embeddings, starts)
    assert lengths == pytest.approx([np.sqrt(0.8), 1])
    probe = np.array([0.8, 0.6], np.float32)
    similarities = embeddings @ probe
    assert similarities == pytest.approx([0.8, 0.96, 0.6])
    mean = 0.88 / np.sqrt(0.8)  # 0.9839: more alike than either template
    for best_of, first in ((1, mean), (2, (mean + 0.96) / 2), (3, (mean + 0.96 + 0.8) / 3)):
        score = PersonScore(best_of, with_mean=True)
        assert score.scores(similarities, starts, lengths) == pytest.approx([first, 0.6])
        assert score.one(similarities[:2], float(lengths[0])) == pytest.approx(first)


def test_templates_that_contradict_each_other_have_no_mean() -> None:
    opposite = np.array([[1, 0], [-1, 0]], np.float32)
    starts = np.array([0])
    lengths = lengths_of_means(opposite, starts)
    score = PersonScore(1, with_mean=True)
    assert score.scores(opposite[:, 0], starts, lengths) == pytest.approx([1.0])
    assert score.one(opposite[:, 0], float(lengths[0])) == pytest.approx(1.0)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.floats(0, 2))
def test_nobody_scores_beyond_the_reach(seed: int, best_of: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 6, 20)
    starts = np.cumsum(counts) - counts
    vectors = rng.standard_normal((20, 5))[np.repeat(np.arange(20), counts)]
    vectors += noise * rng.standard_normal(vectors.shape)
    embeddings = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    lengths = lengths_of_means(embeddings, starts)
    score = PersonScore(best_of, with_mean=True)
    for probe in embeddings[:5]:
        similarities = embeddings @ probe
        highest = np.maximum.reduceat(similarities, starts)
        scored = score.scores(similarities, starts, lengths)
        assert (scored <= score.reach(highest, float(lengths.min()))).all()
        for one, part, length in zip(
            scored, np.split(similarities, starts[1:]), lengths, strict=True
        ):
            assert score.one(part, float(length)) == pytest.approx(one, abs=1e-6)


SCORES = st.builds(PersonScore, st.integers(1, 4), st.booleans())


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), SCORES, st.integers(1, 3))
def test_search_equals_brute_force(seed: int, score: PersonScore, k: int) -> None:
    check(np.random.default_rng(seed), 60, 8, score, k)


def test_search_among_codes_equals_brute_force() -> None:
    rng = np.random.default_rng(1)
    for score in (MAXIMUM, PersonScore(3), SHIPPED):
        check(rng, COMPRESSED_FROM // 2, 32, score, 3)


def check(rng: np.random.Generator, people: int, size: int, score: PersonScore, k: int) -> None:
    counts = rng.integers(1, 5, people)
    numbers = np.repeat(np.arange(people), counts)
    centres = rng.standard_normal((people, size))[numbers]
    vectors = (centres + rng.standard_normal(centres.shape)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = np.array([b"p%d" % number for number in numbers])
    rows = IndexedRows(vectors, numbers, ids)
    index = VectorIndex(size, rules=IndexRules(score))
    index = index.updated(np.zeros(0, np.int64), rows)
    for probe in (vectors[len(vectors) // 2], *-vectors[:3]):
        people_own = np.split(vectors, np.cumsum(counts)[:-1])
        expected = np.array([plainly(score, own, probe) for own in people_own])
        order = np.argsort(-expected, kind="stable")[:k]
        found = index.search(probe, k, index.rules.score)
        assert [-hit.distance for hit in found] == pytest.approx(expected[order], abs=1e-6)
        assert [expected[hit.person] for hit in found] == pytest.approx(expected[order], abs=1e-6)


def plainly(score: PersonScore, own: NDArray[np.float32], probe: NDArray[np.float32]) -> float:
    """Score one person by making their mean template."""
    mean = own.mean(axis=0)
    rows = list(own)
    if score.with_mean and len(own) > 1 and np.linalg.norm(mean) >= SHORTEST_MEAN:
        rows.append(mean / np.linalg.norm(mean))
    return float(np.mean(np.sort([row @ probe for row in rows])[::-1][: score.best_of]))


def test_the_maximum_is_the_mean_of_the_best_one() -> None:
    assert MAXIMUM == PersonScore(1)
