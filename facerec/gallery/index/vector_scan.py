"""Reading vectors to find those most like a probe, and saying what those not found can be at most.

A scan's time is that of reading memory. So many vectors are scanned as codes of 4 bits a number (a
product quantizer of single numbers; Jegou and others, 'Product quantization for nearest neighbor
search', TPAMI 2011) with tables that stay in the registers (Andre and others, 'Quicker ADC', TPAMI
2019; FAISS's FastScan), in one part a processor, side by side. What coding changes is bounded, not
guessed: it moves a similarity to a probe of unit length by no more than the distance between a
vector and what its code stands for (Cauchy-Schwarz), whose largest is measured when the scan is
made, and rounding a probe's tables moves it by no more than half a step a table.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from facerec.gallery.index.list_plan import ListPlan
from facerec.gallery.index.scan_parts import Found, Parts
from facerec.huge_pages import use_huge_pages

__all__ = [
    "CODED_AT_MOST",
    "COMPRESSED_FROM",
    "ROUNDING",
    "CodeScan",
    "FlatScan",
    "HalfScan",
    "Scanned",
    "VectorScan",
    "exact_scan",
]

COMPRESSED_FROM = 50_000
"""From so many vectors on they are scanned as codes; fewer take about a millisecond."""

ROUNDING = 1e-5
"""What a float32 sum of a few hundred products may be off by, at unit length."""

CODED_AT_MOST = 256
"""FAISS adds up a byte a table in 16 bits, so that more numbers could overflow."""

_MEASURED_ON = 20_000
"""Vectors that the mean and spread of each number are taken of, spread over all."""

_WIDTH, _COMPANDING = 3.3, 0.7
"""Levels reach 3.3 deviations to either side and lie denser in the middle (as the power 1/.7). On
random directions of 128 numbers .2 % of vectors lose more than .14 of their length; k-means, which
makes the mean loss least (.096 instead of .114), lets as many lose .165, and it is the worst loss
that decides how many rows must be scored again."""

_LEVELS = 16

_WORST = 500
"""One in so many rows, those that lose most by coding, is compared in float32 always."""

_SPARE, _SPARE_AT_LEAST = 20, 128
"""How many more rows than needed a scan is asked for: of all parts together, times the root of the
number of rows, and of each part. With 50,000 to 1,000,000 made-up people in two parts 14.0 to 14.8
times the root is enough for 99 of 100 searches; the others scan again. (Of more rows it is a
smaller share, since the runner-up is more alike.)"""

_ROWS_AT_ONCE = 8192
"""Vectors that are coded at a time, so that it stays in the cache."""


@dataclass(frozen=True, eq=False)
class Scanned:
    """What a scan found.

    Attributes:
        rows: int64 (n,): the rows most like the probe as far as the scan can tell, in any order.
        most: float32 (n,): no row has a higher similarity than this.
        ceiling: No other row has a higher similarity; -inf when the scan makes no such promise.
    """

    rows: NDArray[np.int64]
    most: NDArray[np.float32]
    ceiling: float


class VectorScan(Protocol):
    """Vectors that never change; safe to search from several threads."""

    @property
    def spare(self) -> int:
        """How many more rows than needed to ask for at first."""
        ...

    @property
    def description(self) -> str:
        """What is approximate about it, in words; "" when nothing is."""
        ...

    @property
    def plan(self) -> ListPlan | None:
        """How the vectors are kept in lists, if they are."""
        ...

    def best(self, probe: NDArray[np.float32], places: int) -> Scanned:
        """Find the rows most like a probe.

        Args:
            probe: float32 (d,), unit length.
            places: How many, at most as many as there are.
        """
        ...


class FlatScan:
    """A scan of the vectors themselves.

    By NumPy: FAISS lets go of the interpreter's lock seven times a search, and each time a thread
    that is busy in Python may keep it for milliseconds.
    """

    spare = 4
    description = ""
    plan = None

    def __init__(self, embeddings: NDArray[np.float32]) -> None:
        """Take vectors, float32 (n, d), n >= 1, of unit length."""
        self._embeddings = embeddings

    def best(self, probe: NDArray[np.float32], places: int) -> Scanned:
        """Find the rows most like a probe; see `VectorScan`."""
        similarities = np.einsum("ij,j->i", self._embeddings, probe)
        rows = np.argpartition(similarities, -places)[-places:]
        most = similarities[rows] + np.float32(ROUNDING)
        return Scanned(rows, most, float(most.min()))


class CodeScan:
    """A scan of codes of 4 bits a number; the rows that they stand for worst are found always."""

    description = ""
    plan = None

    def __init__(self, embeddings: NDArray[np.float32]) -> None:
        """Take vectors, float32 (n, d), d <= `CODED_AT_MOST`, n >= 1, of unit length."""
        count, size = embeddings.shape
        coder = _Coder(embeddings[:: max(1, count // _MEASURED_ON)])
        self._parts = Parts(count)
        lost = np.empty(count, np.float32)
        self._indexes = [
            coder.coded(embeddings[start:end], lost[start:end]) for start, end in self._parts.spans
        ]
        self._worst = np.argpartition(-lost, count // _WORST)[: count // _WORST]
        self._worst_vectors = embeddings[self._worst]  # together, so that they are read at once
        self._is_worst = np.zeros(count, np.bool_)
        self._is_worst[self._worst] = True
        lost[self._worst] = 0
        self._error = float(lost.max()) + ROUNDING
        self._table_error = size / (2 * 255) * np.ptp(coder.levels, axis=1)
        spare = math.ceil(_SPARE * math.sqrt(count) / len(self._parts.starts))
        self.spare = max(_SPARE_AT_LEAST, spare)
        use_huge_pages()

    def best(self, probe: NDArray[np.float32], places: int) -> Scanned:
        """Find the rows most like a probe; see `VectorScan`."""
        # FAISS rounds all tables to 255 steps of the widest one: by at most half a step a table.
        rounded = float((np.abs(probe) * self._table_error).max())
        found = self._parts.search(self._indexes, probe, places)
        scanned = _with_error(found, self._error + rounded)
        others = ~self._is_worst[scanned.rows]
        of_worst = np.einsum("ij,j->i", self._worst_vectors, probe) + np.float32(ROUNDING)
        return Scanned(
            np.concatenate([scanned.rows[others], self._worst]),
            np.concatenate([scanned.most[others], of_worst]),
            scanned.ceiling,
        )


class HalfScan:
    """A scan in half precision, for vectors of more numbers than codes can be added up for."""

    spare = 16
    description = ""
    plan = None

    def __init__(self, embeddings: NDArray[np.float32]) -> None:
        """Take vectors, float32 (n, d), n >= 1, of unit length."""
        count, size = embeddings.shape
        self._parts = Parts(count)
        self._indexes = []
        for start, end in self._parts.spans:
            kind = faiss.ScalarQuantizer.QT_fp16
            part = faiss.IndexScalarQuantizer(size, kind, faiss.METRIC_INNER_PRODUCT)
            part.add(embeddings[start:end])
            self._indexes.append(part)
        self._error = _half_error(embeddings) + ROUNDING

    def best(self, probe: NDArray[np.float32], places: int) -> Scanned:
        """Find the rows most like a probe; see `VectorScan`."""
        found = self._parts.search(self._indexes, probe, places)
        return _with_error(found, self._error)


def exact_scan(embeddings: NDArray[np.float32]) -> VectorScan:
    """Return the fastest scan that can say what those not found can be at most."""
    count, size = embeddings.shape
    if count < COMPRESSED_FROM:
        return FlatScan(embeddings)
    return CodeScan(embeddings) if size <= CODED_AT_MOST else HalfScan(embeddings)


def _with_error(found: Sequence[Found], error: float) -> Scanned:
    similarities, rows = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    ceiling = max(float(similarities[-1]) for similarities, _ in found) + error
    return Scanned(rows, similarities + np.float32(error), ceiling)


class _Coder:
    """Turns vectors into codes of 4 bits a number.

    Attributes:
        levels: float32 (d, 16): what the codes of each number stand for.
    """

    def __init__(self, some: NDArray[np.float32]) -> None:
        """Choose levels by some of the vectors, float32 (m, d)."""
        steps = np.linspace(-1, 1, _LEVELS)
        shape = np.sign(steps) * np.abs(steps) ** (1 / _COMPANDING) * _WIDTH
        spread = np.maximum(some.std(axis=0), 1e-6)
        self.levels = (some.mean(axis=0)[:, None] + spread[:, None] * shape).astype(np.float32)
        # A number is rounded to one of 256 cells, and each cell has a code: several times faster
        # than to look for the nearest level, and nearly always the same one.
        self._mean = some.mean(axis=0)
        self._cells_a_unit = (127 / (1.1 * _WIDTH) / spread).astype(np.float32)
        centres = (np.arange(256) - 128) / (127 / (1.1 * _WIDTH))
        nearest = np.abs(centres[:, None] - shape).argmin(axis=1)
        self._code_of_cell = nearest.astype(np.uint8)

    def coded(
        self, embeddings: NDArray[np.float32], lost: NDArray[np.float32]
    ) -> faiss.IndexPQFastScan:
        """Return an index of vectors (n, d); note in `lost` (n,) how far each is from its code."""
        size = embeddings.shape[1]
        part = faiss.IndexPQ(size, size, 4, faiss.METRIC_INNER_PRODUCT)
        faiss.copy_array_to_vector(self.levels.ravel(), part.pq.centroids)
        part.is_trained = True
        numbers = np.arange(size)
        for start in range(0, len(embeddings), _ROWS_AT_ONCE):
            exact = embeddings[start : start + _ROWS_AT_ONCE]
            cells = np.clip((exact - self._mean) * self._cells_a_unit + 128.5, 0, 255)
            codes = self._code_of_cell[cells.astype(np.uint8)]
            difference = exact - self.levels[numbers, codes]
            lost[start : start + len(exact)] = np.linalg.norm(difference, axis=1)
            codes = np.pad(codes, ((0, 0), (0, size % 2)))
            part.add_sa_codes(np.ascontiguousarray(codes[:, ::2] | codes[:, 1::2] << 4))
        # FAISS's stubs describe the C++ constructors, not those that its Python gives them.
        return faiss.IndexPQFastScan(part)  # type: ignore[arg-type]


def _half_error(embeddings: NDArray[np.float32]) -> float:
    """Return the largest distance between a vector and its form in half precision."""
    largest = 0.0
    for start in range(0, len(embeddings), _ROWS_AT_ONCE):
        exact = embeddings[start : start + _ROWS_AT_ONCE]
        difference = exact.astype(np.float16).astype(np.float32) - exact
        largest = max(largest, float(np.einsum("ij,ij->i", difference, difference).max()))
    return float(np.sqrt(largest))
