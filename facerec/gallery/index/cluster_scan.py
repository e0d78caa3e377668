"""Reading only the part of very many vectors that is likely to hold those most like a probe.

Vectors are kept in lists by the centre that they are nearest to (an inverted file; Jegou and
others, 'Product quantization for nearest neighbor search', TPAMI 2011), as codes of 4 bits for
three numbers (for four in vectors of more than 256) that FAISS scans in registers (FastScan). A
probe is held against the lists whose centres are most like it, and against the vectors themselves
of the few rows whose codes are most like it. Faces lie nearly as evenly as random directions, so
many lists must be read, not one in a hundred: with fewer, people are missed. How many is not
guessed. It is measured when the scan is made, with probes made from its own vectors, against
comparing with every vector in float32: as many as hold the best vector of all but 5 in 10,000
probes that look as enrolled people do. What is stated is measured on other such probes, and on as
many that look as strangers do. (A stranger's most alike person may be missed: what is found then is
less alike, so that strangers are named less often, never more.) All that is a `ListPlan`, by which
the same vectors can be kept again in a fraction of the time.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

from facerec.gallery.index.list_plan import ListPlan
from facerec.gallery.index.scan_parts import Parts, give_back, inner_products
from facerec.gallery.index.vector_scan import ROUNDING, Scanned
from facerec.huge_pages import use_huge_pages

__all__ = ["CLUSTERED_FROM", "ClusterScan", "looks_alike"]

CLUSTERED_FROM = 10_000
"""Fewer vectors are never kept in lists: to compare with all of them takes less time."""

_ROWS_A_LIST = 4900
"""FAISS gives the codes of a list room for a power of two: of two processors each has 2,450 rows of
a list, spread by a tenth, which fill 64 KB, room for 2,978 codes of 128 numbers. More lists find as
much with fewer rows read, but sorting the vectors into them takes the longer the more there are."""

_NUMBERS_A_CODE, _OF_LONG_VECTORS, _LONG = 3, 4, 256
"""Numbers that 4 bits stand for; in vectors of more than 256 numbers each tells less. Measured with
4,000,000 vectors of 128 numbers, two processors, 2,000 rows of each part: a scan takes 7.5 ms with
two numbers a code, 5.6 with three, 3.3 with four; the right row is among those rows for all of 120
probes with two and three, for 114 with four."""

_TRAINED_ON, _ROUNDS = 100, 8
"""Vectors a list that centres are found with, and how often they are moved to their means."""

_CHOOSING, _LEFT_OUT = 10_000, 5
"""Looks at enrolled people by which lists are chosen, and for how many of these the best vector may
lie in a list that is not read."""

_STATING = 1000
"""Other looks, and strangers, that recall is measured on."""

_DEEP, _DEEP_FOR = 6000, 200
"""Rows whose vectors are compared with a probe, about, and the number of strangers by whom it is
found out how much like a probe the codes of so many are. With 10,000,000 vectors the
best one's code is so deep among all for one stranger in a few hundred."""

_DEPTH_OF_EQUALS = 3.0
"""The depth where all vectors are equal, so that no codes can tell."""

_SPREAD_OF = 100_000
"""Vectors, at most, that the mean and spread of similarities to a probe are worked out from."""

_SPARE = 64
"""How many more rows of each part than people asked for are scored in full: who has several
templates is scored by all of them, not by the one that was found alone."""

_ROWS_AT_ONCE, _PROBES_AT_ONCE = 16_384, 1000

_SHARES = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1)
_SIMILARITIES = (-0.1, 0.12, 0.45, 0.51, 0.58, 0.65, 0.71, 0.76, 0.8, 0.95)
"""Similarities of two pictures of a person and the share of pairs below them: SFace on all pairs of
folds 1 and 2 of LFW, some of which are mislabelled."""

_Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Measured:
    """Probes of unit length, and the row most like each, of all.

    Attributes:
        looks: float32 (n, d), other looks at enrolled people.
        best: int64 (n,).
        strangers: float32 (m, d).
        best_of_strangers: int64 (m,).
    """

    looks: _Vectors
    best: NDArray[np.int64]
    strangers: _Vectors
    best_of_strangers: NDArray[np.int64]


class ClusterScan:
    """A scan of some lists only; whom it misses is measured, not bounded.

    Attributes:
        plan: How the vectors are kept; its recall is that of probes that chose nothing here.
        description: That in words.
    """

    spare = _SPARE

    def __init__(self, embeddings: _Vectors, seed: int = 0, plan: ListPlan | None = None) -> None:
        """Take vectors, float32 (n, d), n >= `CLUSTERED_FROM`, of unit length.

        Args:
            embeddings: The vectors.
            seed: Of the probes that are made up.
            plan: How they were kept before; None, or one that does not fit, to find out.
        """
        count = len(embeddings)
        if plan is not None and not plan.fits(*embeddings.shape):
            plan = None
        self._embeddings = embeddings
        self._parts = Parts(count)
        self._turn, first = _trained(embeddings) if plan is None else _planned(plan)
        self._indexes = [first, *(_copy(first) for _ in self._parts.starts[1:])]
        for index, (start, end) in zip(self._indexes, self._parts.spans, strict=True):
            for block in range(start, end, _ROWS_AT_ONCE):
                index.add(embeddings[block : min(block + _ROWS_AT_ONCE, end)] @ self._turn)
        for number, index in enumerate(self._indexes):
            self._indexes[number] = _copy(index)  # list by list, without the holes of growing
            index.reset()
        give_back()
        use_huge_pages()
        some = embeddings[:: -(-count // _SPREAD_OF)]
        self._mean, self._covariance = some.mean(axis=0), _covariance(some)
        self.plan = plan or self._measured_plan(embeddings, np.random.default_rng(seed))
        self._read(self.plan.read)
        self.description = (
            f"ivf: {self.plan.read} of {len(self.plan.centres)} lists, recall@1 "
            f"{self.plan.recall:.4f} of enrolled people and {self.plan.recall_of_strangers:.4f} of "
            f"strangers, measured on {self.plan.probes} other probes; scored in float32"
        )
        give_back()

    def best(self, probe: _Vectors, places: int) -> Scanned:
        """Find the rows most like a probe in the lists most like it; see `VectorScan`."""
        rows, similarities = self._best(probe, places, self.plan.depth)
        return Scanned(rows, similarities + np.float32(ROUNDING), -np.inf)

    def _best(
        self, probe: _Vectors, places: int, depth: float
    ) -> tuple[NDArray[np.int64], _Vectors]:
        """Return the rows most like a probe of those whose codes are like it, and how alike: (n,).

        That FAISS knows from the start how like a code must be, makes it look up the numbers of a
        fifth as many rows as when it finds out on its way, each of which is a wait for memory.
        """
        mean, deviation = self._similarities(probe)
        least = mean + depth * deviation
        turned = probe @ self._turn
        found = self._parts.above(self._indexes, turned, least, self._embeddings, probe, places)
        similarities, rows = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        if len(rows) >= places:
            return rows, similarities
        found = self._parts.search(self._indexes, turned, max(places, self._deep))
        rows = np.concatenate([rows for _, rows in found])
        return rows, inner_products(self._embeddings, probe, rows)

    def _similarities(self, probe: _Vectors) -> tuple[float, float]:
        """Return mean and deviation of all vectors' similarities to a probe."""
        variance = float(probe @ self._covariance @ probe)
        return float(self._mean @ probe), math.sqrt(max(variance, 0.0))

    def _read(self, lists: int) -> None:
        for index in self._indexes:
            index.nprobe = lists

    def _measured_plan(self, embeddings: _Vectors, rng: np.random.Generator) -> ListPlan:
        """Find out how many lists must be read, and what is found then."""
        choosing, stating = _measured(embeddings, rng)
        read = self._enough(embeddings, choosing)
        self._read(read)
        depth = self._depth(choosing.strangers)
        recall = self._recall(stating.looks, stating.best, depth)
        of_strangers = self._recall(stating.strangers, stating.best_of_strangers, depth)
        first = self._indexes[0]
        return ListPlan(
            count=len(embeddings),
            turn=self._turn,
            centres=first.quantizer.reconstruct_n(0, first.nlist),
            levels=faiss.vector_to_array(first.pq.centroids),
            read=read,
            depth=depth,
            recall=recall,
            recall_of_strangers=of_strangers,
            probes=len(stating.looks) + len(stating.strangers),
        )

    def _enough(self, embeddings: _Vectors, measured: _Measured) -> int:
        """Return how many lists hold the best rows of enough looks at enrolled people."""
        centres, turn = self._indexes[0].quantizer, self._turn
        needed = np.empty(len(measured.looks), np.int64)
        for first in range(0, len(needed), _PROBES_AT_ONCE):
            some = slice(first, first + _PROBES_AT_ONCE)
            _, theirs = centres.search(embeddings[measured.best[some]] @ turn, 1)
            _, order = centres.search(measured.looks[some] @ turn, self._indexes[0].nlist)
            needed[some] = np.argmax(order == theirs, axis=1) + 1
        needed.sort()
        return int(needed[-1 - min(_LEFT_OUT, len(needed) - 1)])

    def _recall(self, probes: _Vectors, best: NDArray[np.int64], depth: float) -> float:
        """Return for which share of probes the row most like it is found, or its equal."""
        found = 0
        for probe, row in zip(probes, best, strict=True):
            rows, _ = self._best(probe, 1, depth)
            least = float(self._embeddings[row] @ probe) - ROUNDING
            found += bool((self._embeddings[rows] @ probe >= least).any())
        return found / len(probes)

    @property
    def _deep(self) -> int:
        """How many rows of each part are compared with a probe, about."""
        return -(-_DEEP // len(self._indexes))

    def _depth(self, probes: _Vectors) -> float:
        """Return how many deviations above the mean the codes of so many rows of a part lie.

        The median over probes, float32 (n, d).
        """
        index = self._indexes[0]
        found, rows = index.search(probes @ self._turn, min(self._deep, index.ntotal))
        least = np.where(rows >= 0, found, np.inf).min(axis=1)
        means, deviations = np.array([self._similarities(probe) for probe in probes]).T
        depth = float(np.median((least - means) / np.maximum(deviations, ROUNDING)))
        return depth if math.isfinite(depth) else _DEPTH_OF_EQUALS


def looks_alike(
    vectors: _Vectors, similarities: NDArray[np.floating], rng: np.random.Generator
) -> _Vectors:
    """Return vectors of given similarities to others, in random directions from them.

    Within a person the templates of SFace spread evenly: the 64 directions in which people differ
    most hold .51 of it.

    Args:
        vectors: float32 (n, d), unit length.
        similarities: (n,), -1..1.
        rng: Source of the directions.

    Returns:
        float32 (n, d), unit length.
    """
    noise = rng.standard_normal(vectors.shape, dtype=np.float32)
    noise -= np.einsum("ij,ij->i", noise, vectors)[:, None] * vectors
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    along = np.asarray(similarities, np.float32)[:, None]
    alike = along * vectors + np.sqrt(1 - along**2) * noise
    return np.asarray(alike / np.linalg.norm(alike, axis=1, keepdims=True), np.float32)


def _strangers(vectors: _Vectors) -> _Vectors:
    """Return vectors that lie as others do and are like none of them more than by chance.

    They are the others seen from the far side of their mean: of the same mean and spread.

    Args:
        vectors: float32 (n, d), unit length.

    Returns:
        float32 (n, d), unit length.
    """
    reflected = 2 * vectors.mean(axis=0) - vectors
    return np.asarray(reflected / np.linalg.norm(reflected, axis=1, keepdims=True), np.float32)


def _trained(embeddings: _Vectors) -> tuple[_Vectors, faiss.IndexIVFPQFastScan]:
    """Return the turn for vectors, and an empty index with its centres and codes chosen."""
    count, size = embeddings.shape
    lists = max(16, round(count / _ROWS_A_LIST))
    some = np.ascontiguousarray(embeddings[:: max(1, count // (lists * _TRAINED_ON))])
    clusters = faiss.Kmeans(
        size,
        lists,
        niter=_ROUNDS,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=2 * _TRAINED_ON,
    )
    clusters.train(some)
    turn = _balanced(some)
    index = _untrained(np.asarray(clusters.centroids, np.float32) @ turn, size)
    index.train(some @ turn)
    return turn, index


def _planned(plan: ListPlan) -> tuple[_Vectors, faiss.IndexIVFPQFastScan]:
    """Return the turn for vectors, and an empty index with the centres and codes of a plan."""
    index = _untrained(plan.centres, len(plan.turn))
    faiss.copy_array_to_vector(plan.levels, index.pq.centroids)
    index.is_trained = True
    return plan.turn, index


def _together(size: int) -> int:
    """Return how many numbers one code stands for, of vectors of `size` numbers."""
    return _OF_LONG_VECTORS if size > _LONG else _NUMBERS_A_CODE


def _balanced(some: _Vectors) -> _Vectors:
    """Return the turn after which codes tell most, float32 (d, e): similarities stay as they are.

    Its columns are the directions in which vectors differ, dealt out so that the product of the
    spreads is nearly the same in each group of numbers that has a code (eigenvalue allocation; Ge
    and others, 'Optimized product quantization', TPAMI 2014), and zeros up to whole groups.

    Args:
        some: float32 (n, d).
    """
    size = some.shape[1]
    together = _together(size)
    codes = -(-size // together)
    directions = np.linalg.eigh(_covariance(some))[1][:, ::-1]  # the widest first
    rounds = np.arange(codes * together).reshape(together, codes)
    rounds[1::2] = rounds[1::2, ::-1].copy()  # who chose last chooses first now
    chosen = rounds.T.ravel()
    turn = np.zeros((size, len(chosen)), np.float32)
    there = chosen < size
    turn[:, there] = directions[:, chosen[there]]
    return turn


def _untrained(around: _Vectors, size: int) -> faiss.IndexIVFPQFastScan:
    """Return an empty index of lists around turned centres, float32 (lists, e)."""
    lists, wide = around.shape
    centres = faiss.IndexFlatIP(wide)
    centres.add(np.ascontiguousarray(around))
    return faiss.IndexIVFPQFastScan(
        centres, wide, lists, wide // _together(size), 4, faiss.METRIC_INNER_PRODUCT
    )


def _copy(index: faiss.IndexIVFPQFastScan) -> faiss.IndexIVFPQFastScan:
    """Return another index with the same centres, codes and vectors."""
    other = faiss.clone_index(index)
    if not isinstance(other, faiss.IndexIVFPQFastScan):
        raise TypeError("FAISS copied an index into one of another kind")
    return other


def _measured(embeddings: _Vectors, rng: np.random.Generator) -> tuple[_Measured, _Measured]:
    """Make probes to choose by, and others to state by, and find the rows most like them."""
    count = len(embeddings)
    strangers = _strangers(embeddings[rng.choice(count, _DEEP_FOR + _STATING, replace=False)])
    best_of_strangers, highest = _most_alike(embeddings, strangers)
    people = rng.integers(0, count, _CHOOSING + _STATING)
    similarities = np.interp(rng.random(len(people)), _SHARES, _SIMILARITIES)
    looks = looks_alike(embeddings[people], similarities, rng)
    # Who looks more like themselves than any stranger looks like anybody needs no comparison. To
    # state, all are compared.
    unsure = np.flatnonzero(similarities <= highest.max())
    unsure = np.union1d(unsure, np.arange(_CHOOSING, len(people)))
    people[unsure], _ = _most_alike(embeddings, looks[unsure])
    return (
        _Measured(
            *(looks[:_CHOOSING], people[:_CHOOSING]),
            *(strangers[:_DEEP_FOR], best_of_strangers[:_DEEP_FOR]),
        ),
        _Measured(
            *(looks[_CHOOSING:], people[_CHOOSING:]),
            *(strangers[_DEEP_FOR:], best_of_strangers[_DEEP_FOR:]),
        ),
    )


def _most_alike(embeddings: _Vectors, probes: _Vectors) -> tuple[NDArray[np.int64], _Vectors]:
    """Return the row most like each probe and its similarity, compared with all in float32."""
    best, highest = np.zeros(len(probes), np.int64), np.full(len(probes), -np.inf, np.float32)
    for start, block in _blocks(embeddings):
        for first in range(0, len(probes), _PROBES_AT_ONCE):
            some = slice(first, first + _PROBES_AT_ONCE)
            similarities = probes[some] @ block.T
            row = similarities.argmax(axis=1)
            value = np.take_along_axis(similarities, row[:, None], axis=1)[:, 0]
            better = value > highest[some]
            highest[some] = np.where(better, value, highest[some])
            best[some] = np.where(better, row + start, best[some])
    return best, highest


def _covariance(vectors: _Vectors) -> NDArray[np.float64]:
    """Return the covariance of vectors, float32 (n, d), without a copy of them all."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    total = np.zeros((len(mean), len(mean)))
    for _, block in _blocks(vectors):
        apart = block - mean
        total += apart.T @ apart
    return np.asarray(total / len(vectors), np.float64)


def _blocks(embeddings: _Vectors) -> Iterator[tuple[int, _Vectors]]:
    for start in range(0, len(embeddings), _ROWS_AT_ONCE):
        yield start, embeddings[start : start + _ROWS_AT_ONCE]
