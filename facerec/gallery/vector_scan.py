"""Reading all vectors to find those most like a probe: in full, or in half precision.

A scan's time is that of reading memory, so many vectors are scanned in half precision, which halves
it, and in one part a processor, side by side. What rounding changes is bounded: it moves a
similarity to a probe of unit length by no more than the distance between a vector and its rounded
form (Cauchy-Schwarz), and the largest of these is measured when the scan is made.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np
from numpy.typing import NDArray

__all__ = ["COMPRESSED_FROM", "RowMask", "VectorScan"]

COMPRESSED_FROM = 50_000
"""From so many vectors on they are scanned in half precision; fewer take about a millisecond."""

_ROUNDING = 1e-5
"""What a float32 sum of a few hundred products may be off by, at unit length."""

_ROWS_AT_ONCE = 65_536
"""Vectors that are rounded at a time, so that it takes little memory."""


class RowMask:
    """Which rows of a scan may be found."""

    def __init__(self, live: NDArray[np.bool_], starts: Sequence[int]) -> None:
        """Let rows be found.

        Args:
            live: bool (n,).
            starts: First row of each part of the scan; multiples of 8.
        """
        bitmap = np.packbits(live, bitorder="little")
        # FAISS's stubs describe the C++ constructors, not those that its Python gives them; and it
        # keeps pointers to what it is given, not references.
        self._bitmaps = [np.ascontiguousarray(bitmap[start // 8 :]) for start in starts]
        self._selectors = [faiss.IDSelectorBitmap(part) for part in self._bitmaps]  # type: ignore[arg-type, call-arg]
        self.parameters = [faiss.SearchParameters(sel=s) for s in self._selectors]  # type: ignore[call-arg]


class VectorScan:
    """Vectors that never change; safe to search from several threads.

    Attributes:
        error: By how much a similarity that it tells may be off; 0 if they are exact.
        starts: First row of each part.
    """

    def __init__(self, embeddings: NDArray[np.float32]) -> None:
        """Take vectors, float32 (n, d), n >= 1, of unit length."""
        count, size = embeddings.shape
        self.error = 0.0
        self.starts: tuple[int, ...] = (0,)
        if count < COMPRESSED_FROM:
            flat = faiss.IndexFlatIP(size)
            flat.add(embeddings)
            self._parts: list[faiss.Index] = [flat]
            return
        self.error = _rounding_error(embeddings) + _ROUNDING
        each = -(-count // (8 * (os.cpu_count() or 1))) * 8
        self.starts = tuple(range(0, count, each))
        self._parts = [_half_precision(embeddings[start : start + each]) for start in self.starts]
        self._pool = ThreadPoolExecutor(len(self.starts), "vector scan")

    def best(
        self, probe: NDArray[np.float32], places: int, mask: RowMask | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Find the rows most like a probe.

        Args:
            probe: float32 (d,), unit length.
            places: How many; no more than there are under the mask.
            mask: Which rows may be found; None for all.

        Returns:
            Similarities float32 (places,), descending, off by at most `error`; and rows int64.
        """
        parts = range(len(self._parts))
        if len(self._parts) == 1:
            return self._best_of(0, probe, places, mask)
        found = list(self._pool.map(lambda part: self._best_of(part, probe, places, mask), parts))
        similarities = np.concatenate([similarities for similarities, _ in found])
        rows = np.concatenate([rows for _, rows in found])
        order = np.argsort(-similarities, kind="stable")[:places]
        return similarities[order], rows[order]

    def _best_of(
        self, part: int, probe: NDArray[np.float32], places: int, mask: RowMask | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        parameters = None if mask is None else mask.parameters[part]
        index = self._parts[part]
        similarities, rows = index.search(probe[None], min(places, index.ntotal), params=parameters)
        there = rows[0] >= 0
        return similarities[0][there], rows[0][there] + self.starts[part]


def _half_precision(embeddings: NDArray[np.float32]) -> faiss.Index:
    kind = faiss.ScalarQuantizer.QT_fp16
    index = faiss.IndexScalarQuantizer(embeddings.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
    index.add(embeddings)
    return index


def _rounding_error(embeddings: NDArray[np.float32]) -> float:
    """Return the largest distance between a vector and its form in half precision."""
    largest = 0.0
    for start in range(0, len(embeddings), _ROWS_AT_ONCE):
        exact = embeddings[start : start + _ROWS_AT_ONCE]
        difference = exact.astype(np.float16).astype(np.float32) - exact
        largest = max(largest, float(np.einsum("ij,ij->i", difference, difference).max()))
    return float(np.sqrt(largest))
