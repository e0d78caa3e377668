"""1:N error rates by hand and against brute force."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.errors import ArrayError
from facerec.evaluation.metrics.open_set import (
    SearchScores,
    cumulative_match,
    fnir_at_fpir,
    fpir_threshold,
    search_all,
)
from facerec.gallery.index.person_score import MAXIMUM, SHIPPED, PersonScore
from tests.unit.evaluation.test_comparisons import people_and_faces

Vector = NDArray[np.float32]


def by_hand() -> SearchScores:
    """Four probes of enrolled people, five strangers, a gallery of three."""
    return SearchScores(
        own=np.array([0.9, 0.6, 0.4, -np.inf], np.float32),
        rank=np.array([1, 1, 2, 4], np.int32),
        own_people=np.array([0, 1, 2, 2], np.int32),
        stranger=np.array([0.5, 0.3, 0.2, 0.1, -np.inf], np.float32),
        stranger_people=np.array([3, 4, 5, 6, 7], np.int32),
        searched=3,
        stranger_named=np.array([0, 0, 1, 2, -1], np.int32),
    )


def test_rates_by_hand() -> None:
    scores = by_hand()
    assert scores.rank1 == 0.5
    assert scores.fpir_at(0.3) == 0.4
    assert scores.fnir_at(0.3) == 0.5  # one has another person before it, one was not acquired
    assert scores.fnir_at(0.3, rank=2) == 0.25
    assert scores.fnir_at(0.7) == 0.75
    np.testing.assert_array_equal(cumulative_match(scores, 4), [0.5, 0.75, 0.75, 1.0])


def test_fnir_at_fpir_and_its_bound() -> None:
    assert fpir_threshold(by_hand().stranger, 0.2) == pytest.approx(0.3, abs=1e-6)
    allowed, bound = fnir_at_fpir(by_hand(), (0.6, 0.2))
    assert (allowed.bound, bound.bound) == (False, True)  # 3/5 is the least five can show
    assert allowed.rate == 0.5
    with pytest.raises(ArrayError, match="at least one stranger"):
        fpir_threshold(np.zeros(0, np.float32), 0.1)


def by_maximum(similarities: list[float], references: list[Vector]) -> float:
    del references
    return max(similarities)


def by_best_two_with_mean(similarities: list[float], references: list[Vector]) -> float:
    if len(references) == 1:
        return similarities[0]
    mean = np.mean(references, axis=0)
    own = sum(similarities) / len(similarities) / float(np.linalg.norm(mean))
    return sum(sorted([*similarities, own])[-2:]) / 2


@pytest.mark.parametrize(
    ("score", "expected"), [(MAXIMUM, by_maximum), (SHIPPED, by_best_two_with_mean)]
)
def test_search_is_brute_force(
    score: PersonScore, expected: Callable[[list[float], list[Vector]], float]
) -> None:
    vectors, people = people_and_faces(3, people=40)
    random = np.random.default_rng(0)
    rows = random.permutation(len(people))
    references, probes, strangers = rows[:30], rows[30:60], rows[60:]
    references = references[people[references] < 30]
    strangers = strangers[people[strangers] >= 30]
    acquired = random.random(len(people)) > 0.1
    result = search_all(vectors, people, acquired, references, probes, strangers, score)
    enrolled = sorted({int(people[r]) for r in references if acquired[r]})
    assert result.searched == len(enrolled)

    def best(row: int) -> dict[int, float]:
        scores = {}
        for p in enrolled:
            own = [vectors[r] for r in references if acquired[r] and people[r] == p]
            scores[p] = expected([float(vectors[row] @ vector) for vector in own], own)
        return scores

    for i, row in enumerate(probes):
        mine = int(people[row])
        if not acquired[row] or mine not in enrolled:
            assert result.own[i] == -np.inf and result.rank[i] == len(enrolled) + 1
            continue
        scores = best(int(row))
        assert result.own[i] == pytest.approx(scores[mine], abs=1e-6)
        ahead = sum(v > scores[mine] + 1e-6 for p, v in scores.items() if p != mine)
        assert result.rank[i] == ahead + 1
    for i, row in enumerate(strangers):
        most = max(best(int(row)).values()) if acquired[row] else -np.inf
        assert result.stranger[i] == pytest.approx(most, abs=1e-6)


def test_a_tie_with_another_person_is_not_rank_one() -> None:
    vectors = np.array([[1, 0], [1, 0], [1, 0]], np.float32)
    people = np.array([0, 1, 0], np.int32)
    every = np.ones(3, bool)
    result = search_all(
        vectors, people, every, np.array([0, 1]), np.array([2]), np.zeros(0, np.intp)
    )
    assert result.rank[0] == 2
