"""The scans against NumPy: what they promise of rows that they did not find, and exact results."""

import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.gallery.index.rows import IndexedRows
from facerec.gallery.index.vector_index import VectorIndex
from facerec.gallery.index.vector_scan import (
    COMPRESSED_FROM,
    CodeScan,
    FlatScan,
    HalfScan,
    VectorScan,
    exact_scan,
)

COUNT, SIZE = COMPRESSED_FROM + 1003, 31  # odd, so that a byte holds half a code more


def unit(rng: np.random.Generator, count: int, size: int = SIZE) -> NDArray[np.float32]:
    x = rng.standard_normal((count, size), dtype=np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def vectors() -> NDArray[np.float32]:
    """Clustered as faces are; many that a code cannot tell apart; some far from any code."""
    rng = np.random.default_rng(1)
    x = np.repeat(unit(rng, COUNT // 10 + 1), 10, axis=0)[:COUNT]
    x[: COUNT // 2] += rng.standard_normal((COUNT // 2, SIZE), dtype=np.float32) * 0.1
    x[COUNT // 2 :] += rng.standard_normal((COUNT - COUNT // 2, SIZE), dtype=np.float32) * 1e-5
    x[:40] = np.eye(SIZE, dtype=np.float32)[np.arange(40) % SIZE]
    return np.ascontiguousarray(x / np.linalg.norm(x, axis=1, keepdims=True))


@pytest.fixture(scope="module", params=[FlatScan, CodeScan, HalfScan])
def scan(request: pytest.FixtureRequest, vectors: NDArray[np.float32]) -> VectorScan:
    made: VectorScan = request.param(vectors)
    return made


def test_nobody_is_above_what_a_scan_promises(
    scan: VectorScan, vectors: NDArray[np.float32]
) -> None:
    rng = np.random.default_rng(2)
    for probe in np.concatenate([unit(rng, 10), vectors[rng.integers(0, COUNT, 10)], vectors[:3]]):
        exact = vectors @ probe
        for places in (1, 50, 3000):
            found = scan.best(probe, places)
            assert len(found.rows) == len(np.unique(found.rows)) >= places
            assert np.delete(exact, found.rows).max() <= found.ceiling
            assert (exact[found.rows] <= found.most).all()
            # and what it promises is of use: it is not far above the truth
            assert found.ceiling < np.sort(exact)[-places] + 0.6
            assert (found.most < exact[found.rows] + 0.6).all()


def test_more_places_promise_more(scan: VectorScan, vectors: NDArray[np.float32]) -> None:
    probe = vectors[COUNT // 3]
    ceilings = [scan.best(probe, places).ceiling for places in (10, 1000, 10_000)]
    assert ceilings == sorted(ceilings, reverse=True)
    assert ceilings[-1] < ceilings[0]


def test_the_size_of_a_vector_and_their_number_choose_the_scan() -> None:
    rng = np.random.default_rng(3)
    assert isinstance(exact_scan(unit(rng, COMPRESSED_FROM - 1, 4)), FlatScan)
    assert isinstance(exact_scan(unit(rng, COMPRESSED_FROM, 4)), CodeScan)
    assert isinstance(exact_scan(unit(rng, COMPRESSED_FROM, 257)), HalfScan)


@pytest.mark.parametrize("gone", [0, COUNT // 3])
@pytest.mark.parametrize("size", [SIZE, 260])
def test_search_equals_brute_force(vectors: NDArray[np.float32], gone: int, size: int) -> None:
    """Ids and scores, although ten templates each are nearer together than the scan can tell."""
    vectors = np.pad(vectors, ((0, 0), (0, size - SIZE)))
    people = np.arange(COUNT) // 2  # two templates a person
    ids = np.array([f"p{person}".encode() for person in people])
    index = VectorIndex(size).updated(np.zeros(0, np.int64), IndexedRows(vectors, people, ids))
    none = IndexedRows(vectors[:0], people[:0], ids[:0])
    index = index.updated(np.arange(gone, dtype=np.int64), none)
    rng = np.random.default_rng(4)
    probes = np.concatenate([vectors[rng.integers(0, COUNT, 20)], unit(rng, 10, size)])
    for probe in probes:
        exact = vectors @ probe
        best = np.maximum.reduceat(exact, np.arange(0, COUNT, 2))
        best[: min(gone, len(best))] = -2
        order = np.argsort(-best, kind="stable")[:3]
        found = index.search(probe, 3)
        assert [-hit.distance for hit in found] == pytest.approx(best[order], abs=1e-6)
        # Where two scores differ by less than sums in another order do, either order is right.
        for hit, score in zip(found, best[order], strict=True):
            assert best[hit.person] == pytest.approx(score, abs=1e-6)
