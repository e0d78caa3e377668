"""Reading rows in several parts side by side, one a processor."""

import ctypes
import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np
from numpy.typing import NDArray

__all__ = ["Found", "Parts", "give_back", "inner_products", "processors"]

Found = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Similarities, descending, and the rows that they are of."""


def processors() -> int:
    """Return how many processors this process may use; a container may have been given few."""
    return len(os.sched_getaffinity(0))


def give_back() -> None:
    """Return the whole pages among freed memory to the system, where the C library is glibc.

    Lists that grow together leave holes behind that add up to as much as the lists.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Parts:
    """Rows, divided among the processors; safe to use from several threads.

    Attributes:
        starts: Where each part begins.
        spans: Where each part begins and ends.
    """

    def __init__(self, count: int) -> None:
        """Divide `count` rows, at least one."""
        each = -(-count // processors())
        self.starts = tuple(range(0, count, each))
        self.spans = tuple(itertools.pairwise((*self.starts, count)))
        self._pool = ThreadPoolExecutor(
            len(self.starts), "vector scan", initializer=_use_this_thread
        )

    def search(
        self, indexes: Sequence[faiss.Index], probe: NDArray[np.float32], places: int
    ) -> list[Found]:
        """Search each part's index for the rows most like a probe, side by side.

        Args:
            indexes: One a part.
            probe: float32 (d,).
            places: How many rows of each part, at most.
        """
        return self.each(lambda index, start: _best_of(index, start, probe, places), indexes)

    def above(
        self,
        indexes: Sequence[faiss.Index],
        turned: NDArray[np.float32],
        least: float,
        embeddings: NDArray[np.float32],
        probe: NDArray[np.float32],
        keep: int,
    ) -> list[Found]:
        """Compare a probe with the vectors of those rows whose codes are more like it than `least`.

        Each part's rows are compared by the thread that found them, without a copy of the vectors.

        Args:
            indexes: One a part.
            turned: float32 (e,), the probe as the indexes take it.
            least: Similarity of codes.
            embeddings: float32 (n, d), the vectors of all parts.
            probe: float32 (d,).
            keep: How many rows of each part to return, the ones most like the probe.
        """

        def best_of(index: faiss.Index, start: int) -> Found:
            _, _, numbers = index.range_search(turned[None], least)
            rows = numbers + start
            similarities = inner_products(embeddings, probe, rows)
            if len(rows) > keep:
                foremost = np.argpartition(-similarities, keep)[:keep]
                similarities, rows = similarities[foremost], rows[foremost]
            best = np.argsort(-similarities, kind="stable")
            return similarities[best], rows[best]

        return self.each(best_of, indexes)

    def each(
        self, search: Callable[[faiss.Index, int], Found], indexes: Sequence[faiss.Index]
    ) -> list[Found]:
        """Call a function with each part's index and first row, side by side."""
        return list(self._pool.map(search, indexes, self.starts))


def _best_of(index: faiss.Index, start: int, probe: NDArray[np.float32], places: int) -> Found:
    similarities, rows = index.search(probe[None], min(places, index.ntotal))
    there = rows[0] >= 0
    return similarities[0][there], rows[0][there] + start


def inner_products(
    embeddings: NDArray[np.float32], probe: NDArray[np.float32], rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the inner products of some rows of vectors with a probe, without a copy of the rows.

    Args:
        embeddings: float32 (n, d).
        probe: float32 (d,).
        rows: int64 (m,).

    Returns:
        float32 (m,).
    """
    found = np.empty(len(rows), np.float32)
    probe = np.ascontiguousarray(probe, np.float32)  # FAISS reads it where it lies
    pointers = (faiss.swig_ptr(array) for array in (found, probe, embeddings, rows))
    # FAISS's stubs lack it.
    faiss.fvec_inner_products_by_idx(  # type: ignore[attr-defined]
        *pointers, len(probe), 1, len(rows)
    )
    return found


def _use_this_thread() -> None:
    """Let FAISS search one part in the thread that asks: others have the other parts."""
    faiss.omp_set_num_threads(1)
