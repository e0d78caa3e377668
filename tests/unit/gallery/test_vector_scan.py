"""The scan in half precision against NumPy: its stated error, its mask, and exact results."""

import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.gallery.index_rows import IndexedRows
from facerec.gallery.vector_index import VectorIndex
from facerec.gallery.vector_scan import COMPRESSED_FROM, RowMask, VectorScan

COUNT, SIZE = COMPRESSED_FROM + 1003, 32


def unit(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    x = rng.standard_normal((count, SIZE), dtype=np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def vectors() -> NDArray[np.float32]:
    """Clustered as faces are, and with many that half precision cannot tell apart."""
    rng = np.random.default_rng(1)
    centres = unit(rng, COUNT // 10 + 1)
    x = np.repeat(centres, 10, axis=0)[:COUNT]
    x[: COUNT // 2] += rng.standard_normal((COUNT // 2, SIZE), dtype=np.float32) * 0.1
    x[COUNT // 2 :] += rng.standard_normal((COUNT - COUNT // 2, SIZE), dtype=np.float32) * 1e-5
    return np.ascontiguousarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def test_the_stated_error_holds_and_is_small(vectors: NDArray[np.float32]) -> None:
    scan = VectorScan(vectors)
    assert 0 < scan.error < 1e-3
    for probe in unit(np.random.default_rng(2), 5):
        similarities, rows = scan.best(probe, 1000, None)
        exact = vectors @ probe
        assert np.abs(similarities - exact[rows]).max() <= scan.error
        assert np.all(np.diff(similarities) <= 0)
        missed = np.delete(exact, rows)
        assert missed.max() <= similarities[-1] + scan.error


def test_masked_rows_are_not_found(vectors: NDArray[np.float32]) -> None:
    scan = VectorScan(vectors)
    live = np.random.default_rng(3).random(COUNT) < 0.3
    mask = RowMask(live, scan.starts)
    for probe in vectors[[0, COUNT // 2, COUNT - 1]]:
        similarities, rows = scan.best(probe, 50, mask)
        assert live[rows].all()
        best = np.sort((vectors @ probe)[live])[::-1][:50]
        assert np.abs(similarities - best).max() <= scan.error


@pytest.mark.parametrize("gone", [0, COUNT // 3])
def test_search_equals_brute_force(vectors: NDArray[np.float32], gone: int) -> None:
    """Ids and scores, although ten templates each are nearer together than the scan can tell."""
    people = np.arange(COUNT) // 2  # two templates a person
    ids = np.array([f"p{person}".encode() for person in people])
    index = VectorIndex(SIZE).updated(np.zeros(0, np.int64), IndexedRows(vectors, people, ids))
    none = IndexedRows(vectors[:0], people[:0], ids[:0])
    index = index.updated(np.arange(gone, dtype=np.int64), none)
    rng = np.random.default_rng(4)
    probes = np.concatenate([vectors[rng.integers(0, COUNT, 30)], unit(rng, 10)])
    for probe in probes:
        exact = vectors @ probe
        best = np.maximum.reduceat(exact, np.arange(0, COUNT, 2))
        best[:gone] = -2
        order = np.argsort(-best, kind="stable")[:3]
        found = index.search(probe, 3)
        assert [-hit.distance for hit in found] == pytest.approx(best[order], abs=1e-6)
        # Where two scores differ by less than sums in another order do, either order is right.
        for hit, score in zip(found, best[order], strict=True):
            assert best[hit.person] == pytest.approx(score, abs=1e-6)
