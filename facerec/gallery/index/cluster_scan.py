"""Reading only the part of very many vectors that is likely to hold those most like a probe.

Vectors are kept in lists by the centre that they are nearest to (an inverted file; Jegou and
others, 'Product quantization for nearest neighbor search', TPAMI 2011), as codes of 2 bits a number
(1 bit for vectors of more than 256 numbers) that FAISS scans in registers (FastScan). A probe is
held against the lists whose centres are most like it. Faces lie nearly as evenly as random
directions, so many lists must be read, not one in a hundred: with fewer, people are missed. How
many is not guessed. It is measured when the scan is made, with probes made from its own vectors,
against comparing with every vector in float32: as many as hold the best vector of each probe that
looks as enrolled people do. What is stated is measured on other such probes, and on as many that
look as strangers do. (A stranger's most alike person may be missed: what is found then is less
alike, so that strangers are named less often, never more.) All that is a `ListPlan`, by which the
same vectors can be kept again in a fraction of the time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

from facerec.gallery.index.list_plan import ListPlan
from facerec.gallery.index.scan_parts import Parts, give_back
from facerec.gallery.index.vector_scan import Scanned
from facerec.huge_pages import use_huge_pages

__all__ = ["CLUSTERED_FROM", "ClusterScan", "looks_alike"]

CLUSTERED_FROM = 10_000
"""Fewer vectors are never kept in lists: to compare with all of them takes less time."""

_ROWS_A_LIST = 6800
"""FAISS gives the codes of a list room for a power of two: of two processors each has 3,400 rows of
a list, spread by a tenth, which fill room for 4,096. More lists find as much with fewer rows read,
but sorting the vectors into them takes the longer the more there are."""

_TRAINED_ON, _ROUNDS = 100, 8
"""Vectors a list that centres are found with, and how often they are moved to their means."""

_PROBES = 2000
"""Probes that the number of lists is chosen by, and as many others that recall is measured on; half
of each are enrolled people's.

None of the 1,000 that choose may lie in a list that is not read: of others one in 1,001 is then to
be expected there, a recall of .999 (1 in n + 1, as of any highest value)."""

_DEEP = 2000
"""Rows of each part whose vectors are compared with the probe. Of 1,000 probes at 10,000,000
vectors the right one was among the first 110 for 990, and for strangers among the first 100 for 9
of 10."""

_SPARE = 64
"""How many more rows of each part than people asked for are scored in full: who has several
templates is scored by all of them, not by the one that was found alone."""

_ROWS_AT_ONCE = 16_384

_SHARES = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1)
_SIMILARITIES = (-0.1, 0.12, 0.45, 0.51, 0.58, 0.65, 0.71, 0.76, 0.8, 0.95)
"""Similarities of two pictures of a person and the share of pairs below them: SFace on all pairs of
folds 1 and 2 of LFW, some of which are mislabelled."""

_Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Measured:
    """Probes that a scan is measured with.

    Attributes:
        probes: float32 (n, d), unit length.
        best: int64 (n,): the row most like each, of all.

    Every second probe, from the first on, is an enrolled person's, the others are strangers'.
    """

    probes: _Vectors
    best: NDArray[np.int64]


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
        first = _trained(embeddings) if plan is None else _planned(plan)
        self._indexes = [first, *(_empty_like(first) for _ in self._parts.starts[1:])]
        for index, (start, end) in zip(self._indexes, self._parts.spans, strict=True):
            for block in range(start, end, _ROWS_AT_ONCE):
                index.add(embeddings[block : min(block + _ROWS_AT_ONCE, end)])
        self.plan = plan or self._measured_plan(embeddings, np.random.default_rng(seed))
        self._read(self.plan.read)
        self.description = (
            f"ivf: {self.plan.read} of {len(self.plan.centres)} lists, recall@1 "
            f"{self.plan.recall:.4f} of enrolled people and {self.plan.recall_of_strangers:.4f} of "
            f"strangers, measured on {self.plan.probes} other probes; scored in float32"
        )
        give_back()
        use_huge_pages()

    def best(self, probe: _Vectors, places: int) -> Scanned:
        """Find the rows most like a probe in the lists most like it; see `VectorScan`."""
        deep = max(places, _DEEP)
        found = self._parts.search_again(self._indexes, probe, deep, self._embeddings, places)
        return Scanned(np.concatenate([rows for _, rows in found]), -np.inf)

    def _read(self, lists: int) -> None:
        for index in self._indexes:
            index.nprobe = lists

    def _measured_plan(self, embeddings: _Vectors, rng: np.random.Generator) -> ListPlan:
        """Find out how many lists must be read, and what is found then."""
        choosing, stating = _measured(embeddings, rng)
        read = self._enough(embeddings, choosing)
        self._read(read)
        first, found = self._indexes[0], self._found(stating)
        return ListPlan(
            count=len(embeddings),
            centres=first.quantizer.reconstruct_n(0, first.nlist),
            levels=faiss.vector_to_array(first.pq.centroids),
            read=read,
            recall=float(found[::2].mean()),
            recall_of_strangers=float(found[1::2].mean()),
            probes=len(found),
        )

    def _enough(self, embeddings: _Vectors, measured: _Measured) -> int:
        """Return how many lists hold the best rows of all probes of enrolled people."""
        centres = self._indexes[0].quantizer
        _, theirs = centres.search(embeddings[measured.best[::2]], 1)
        _, order = centres.search(measured.probes[::2], self._indexes[0].nlist)
        return int(np.argmax(order == theirs, axis=1).max()) + 1

    def _found(self, measured: _Measured) -> NDArray[np.bool_]:
        """Return for which probes the best row is found, bool (n,)."""
        found = np.zeros(len(measured.best), np.bool_)
        for rows in self._parts.search_many(self._indexes, measured.probes, _DEEP):
            found |= np.any(rows == measured.best[:, None], axis=1)
        return found


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


def _trained(embeddings: _Vectors) -> faiss.IndexIVFPQFastScan:
    """Return an empty index with its centres and codes chosen."""
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
    index = _untrained(np.asarray(clusters.centroids, np.float32))
    index.train(some)
    return index


def _planned(plan: ListPlan) -> faiss.IndexIVFPQFastScan:
    """Return an empty index with the centres and codes of a plan."""
    index = _untrained(plan.centres)
    faiss.copy_array_to_vector(plan.levels, index.pq.centroids)
    index.is_trained = True
    return index


def _untrained(around: _Vectors) -> faiss.IndexIVFPQFastScan:
    """Return an empty index of lists around centres, float32 (lists, d)."""
    lists, size = around.shape
    together = next(n for n in ((4, 2, 1) if size > 256 else (2, 1)) if size % n == 0)
    centres = faiss.IndexFlatIP(size)
    centres.add(around)
    return faiss.IndexIVFPQFastScan(
        centres, size, lists, size // together, 4, faiss.METRIC_INNER_PRODUCT
    )


def _empty_like(index: faiss.IndexIVFPQFastScan) -> faiss.IndexIVFPQFastScan:
    """Return another empty index with the same centres and codes."""
    other = faiss.clone_index(index)
    if not isinstance(other, faiss.IndexIVFPQFastScan):
        raise TypeError("FAISS copied an index into one of another kind")
    return other


def _measured(embeddings: _Vectors, rng: np.random.Generator) -> tuple[_Measured, _Measured]:
    """Make two sets of probes, each of other vectors, and compare them with all in float32."""
    count = 2 * _PROBES
    probes = embeddings[rng.choice(len(embeddings), count, replace=False)]
    similarities = np.interp(rng.random(_PROBES), _SHARES, _SIMILARITIES)
    probes[::2] = looks_alike(probes[::2], similarities, rng)
    probes[1::2] = _strangers(probes[1::2])
    best = np.zeros(count, np.int64)
    highest = np.full(count, -np.inf, np.float32)
    for start, block in _blocks(embeddings):
        found = probes @ block.T
        row = found.argmax(axis=1)
        value = found[np.arange(count), row]
        better = value > highest
        highest[better] = value[better]
        best[better] = row[better] + start
    halves = (slice(None, _PROBES), slice(_PROBES, None))
    first, second = (_Measured(probes[half], best[half]) for half in halves)
    return first, second


def _blocks(embeddings: _Vectors) -> Iterator[tuple[int, _Vectors]]:
    for start in range(0, len(embeddings), _ROWS_AT_ONCE):
        yield start, embeddings[start : start + _ROWS_AT_ONCE]
