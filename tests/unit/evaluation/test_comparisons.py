"""All-against-all scores: against brute force, and what is kept of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facerec.errors import ArrayError
from facerec.evaluation.metrics import comparisons as module
from facerec.evaluation.metrics.comparisons import compare_all, highest_scores


def people_and_faces(
    seed: int, people: int = 30, dimensions: int = 8
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 5, people)
    labels = np.repeat(np.arange(people, dtype=np.int32), sizes)
    labels = random.permutation(labels)
    vectors = random.normal(size=(people, dimensions))[labels] + random.normal(
        size=(len(labels), dimensions)
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), labels


def brute_force(
    vectors: NDArray[np.float32], labels: NDArray[np.int32], usable: NDArray[np.bool_]
) -> tuple[list[float], list[float], int]:
    mated, other, failed = [], [], 0
    for i in range(len(labels)):
        for j in range(i + 1, len(labels)):
            same = labels[i] == labels[j]
            if not (usable[i] and usable[j]):
                failed += int(same)
                continue
            (mated if same else other).append(float(vectors[i] @ vectors[j]))
    return sorted(mated), sorted(other, reverse=True), failed


@pytest.mark.parametrize("block_scores", [7, 500, 4_000_000])
def test_every_pair_is_compared_once(block_scores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_SCORES", block_scores)
    vectors, labels = people_and_faces(1)
    usable = np.ones(len(labels), bool)
    usable[[3, 11, 20]] = False
    result = compare_all(vectors, labels, usable)
    mated, other, failed = brute_force(vectors, labels, usable)
    finite = np.sort(result.mated.scores[np.isfinite(result.mated.scores)])
    np.testing.assert_allclose(finite, mated, atol=1e-6)
    np.testing.assert_allclose(result.non_mated.tail, other, atol=1e-6)
    assert result.mated.failed == failed > 0
    assert result.non_mated.total == len(other) == result.non_mated.histogram.sum()


@pytest.mark.parametrize("count", [40, 10_000])
@pytest.mark.parametrize("block_scores", [7, 500])
def test_the_highest_scores_are_those_of_the_whole_matrix(
    count: int, block_scores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK_SCORES", block_scores)
    probes, references = people_and_faces(1)[0], people_and_faces(2)[0][:30]
    scores, pairs = highest_scores(probes, references, count)
    whole = probes @ references.T
    expected = np.sort(whole.ravel())[::-1][:count]
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    np.testing.assert_allclose(whole[pairs[:, 0], pairs[:, 1]], scores, atol=1e-6)
    assert len(np.unique(pairs, axis=0)) == len(scores)


def test_pairs_name_the_images_of_their_scores() -> None:
    vectors, labels = people_and_faces(2)
    result = compare_all(vectors, labels)
    for scores, pairs, same in (
        (result.mated.scores, result.mated.pairs, True),
        (result.non_mated.tail, result.non_mated.tail_pairs, False),
        (result.non_mated.sample, result.non_mated.sample_pairs, False),
    ):
        a, b = pairs[:, 0], pairs[:, 1]
        np.testing.assert_allclose((vectors[a] * vectors[b]).sum(1), scores, atol=1e-6)
        assert ((labels[a] == labels[b]) == same).all()
    assert (labels[result.mated.pairs[:, 0]] == result.mated.people).all()


def test_a_short_tail_holds_the_highest_scores_and_a_sample_stays_uniform() -> None:
    vectors, labels = people_and_faces(3, people=200)
    whole = compare_all(vectors, labels).non_mated
    short = compare_all(vectors, labels, tail_size=50, sample_size=20_000).non_mated
    np.testing.assert_array_equal(short.tail, whole.tail[:50])
    assert abs(len(short.sample) - 20_000) < 1_000
    # A uniform sample has the same quantiles as the whole, within its own noise.
    for share in (0.1, 0.5, 0.9):
        assert abs(np.quantile(short.sample, share) - np.quantile(whole.tail, share)) < 0.02
    for threshold in (-0.5, 0.0, 0.3):
        exact = whole.fmr_at(threshold)
        assert exact <= short.fmr_at(threshold) <= exact + 1e-3  # never understated


@settings(max_examples=60)
@given(st.integers(0, 1000), st.floats(1e-4, 1.0))
def test_the_threshold_holds_its_rate_and_none_lower_would(seed: int, fmr: float) -> None:
    vectors, labels = people_and_faces(seed, people=12)
    scores = compare_all(vectors, labels).non_mated
    threshold = scores.threshold_at(fmr)
    assert scores.fmr_at(threshold) <= fmr + 1e-12
    if threshold > -1.0:
        assert scores.fmr_at(np.nextafter(np.float32(threshold), np.float32(-2))) > fmr - 1e-9


def test_thresholds_below_the_tail_come_from_the_histogram() -> None:
    vectors, labels = people_and_faces(5, people=150)
    whole = compare_all(vectors, labels).non_mated
    short = compare_all(vectors, labels, tail_size=20).non_mated
    assert short.fmr_at(short.threshold_at(0.2)) <= 0.2
    assert abs(short.threshold_at(0.2) - whole.threshold_at(0.2)) < 1e-4


def test_fmr_falls_as_the_threshold_rises() -> None:
    vectors, labels = people_and_faces(6)
    scores = compare_all(vectors, labels, tail_size=100).non_mated
    rates = [scores.fmr_at(t) for t in np.linspace(-1, 1, 300)]
    assert rates == sorted(rates, reverse=True)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ArrayError, match=r"people \(n,\)"):
        compare_all(np.zeros((3, 4), np.float32), np.zeros(2, np.int32))
    with pytest.raises(ArrayError, match="at least one non-mated"):
        compare_all(np.eye(2, dtype=np.float32), np.zeros(2, np.int32)).non_mated.threshold_at(0.1)
