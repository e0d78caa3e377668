"""All comparison scores of a set of faces, kept small enough to hold."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError

__all__ = [
    "HISTOGRAM_BINS", "Comparisons", "MatedScores", "NonMatedScores", "compare_all",
    "highest_scores",
]  # fmt: skip

HISTOGRAM_BINS = 1 << 16
"""Equal bins over similarities -1..1: 3e-5 wide, far below what any error rate can tell apart."""
TAIL_SIZE = 2_000_000
"""Highest non-mated scores kept exactly: FMR 1e-1 of 20 million comparisons, 32 MB."""
SAMPLE_SIZE = 400_000
"""Non-mated scores kept from the bulk, for intervals at rates that the tail does not reach."""
BLOCK_SCORES = 4_000_000
"""Scores of a block of the matrix, some 150 MB with their places, however many the columns."""


@dataclass(frozen=True, eq=False)
class MatedScores:
    """Scores of comparisons of a person with the same person.

    Attributes:
        scores: float32 (n,) cosine similarities; -inf where an image had no usable face.
        pairs: int32 (n, 2) the two images, as rows of the table that was compared.
        people: int32 (n,) whose comparison it is.
    """

    scores: NDArray[np.float32]
    pairs: NDArray[np.int32]
    people: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def failed(self) -> int:
        """Number of comparisons that a failure to acquire made impossible."""
        return int(np.isneginf(self.scores).sum())

    def fnmr_at(self, threshold: float) -> float:
        """Return the share of comparisons under the threshold; failures count as under it."""
        if not len(self):
            raise ArrayError("a false non-match rate needs at least one mated comparison")
        return float(np.mean(self.scores < threshold))


@dataclass(frozen=True, eq=False)
class NonMatedScores:
    """Scores of comparisons of a person with other people: the tail exactly, the rest in bins.

    Attributes:
        total: Number of comparisons made.
        histogram: int64 (`HISTOGRAM_BINS`,) counts over -1..1.
        tail: float32 (k,) the k highest scores, descending; all of them when ``k == total``.
        tail_pairs: int32 (k, 2) their images.
        sample: float32 (m,) a uniform random sample of all scores, descending.
        sample_pairs: int32 (m, 2) their images.
    """

    total: int
    histogram: NDArray[np.int64]
    tail: NDArray[np.float32]
    tail_pairs: NDArray[np.int32]
    sample: NDArray[np.float32]
    sample_pairs: NDArray[np.int32]

    def count_at(self, threshold: float) -> int:
        """Return how many scores are at or above the threshold.

        Exact within the tail; below it the whole bin that holds the threshold is counted, so the
        rate is never understated.
        """
        if len(self.tail) == self.total or (len(self.tail) and threshold > self.tail[-1]):
            ascending = self.tail[::-1]
            return len(ascending) - int(np.searchsorted(ascending, np.float32(threshold)))
        return int(self.histogram[_bin_of(np.float32(threshold)) :].sum())

    def fmr_at(self, threshold: float) -> float:
        """Return the share of scores at or above the threshold."""
        return self.count_at(threshold) / max(self.total, 1)

    def threshold_at(self, fmr: float) -> float:
        """Return the lowest threshold whose false match rate is not above `fmr`.

        Args:
            fmr: 0..1. Below ``1 / total`` the threshold lies just above the highest score seen.
        """
        if self.total == 0:
            raise ArrayError("a false match rate needs at least one non-mated comparison")
        allowed = min(int(np.floor(fmr * self.total * (1 + 1e-12))), self.total)
        if allowed == self.total:
            return -1.0
        if allowed < len(self.tail):
            return float(np.nextafter(self.tail[allowed], np.float32(2)))
        above = np.cumsum(self.histogram[::-1])[::-1]
        first = int(np.argmax(above <= allowed)) if above[-1] <= allowed else HISTOGRAM_BINS
        return -1.0 + 2.0 * first / HISTOGRAM_BINS


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Every comparison of a set of faces with each other, each pair once.

    Attributes:
        mated: Within people.
        non_mated: Between people.
        people: int32 (images,) the person of each image, 0-based.
        acquired: bool (images,) whether the image gave a template.
    """

    mated: MatedScores
    non_mated: NonMatedScores
    people: NDArray[np.int32]
    acquired: NDArray[np.bool_]

    @property
    def people_count(self) -> int:
        """Number of people, those without any template included."""
        return int(self.people.max()) + 1 if len(self.people) else 0


def compare_all(
    embeddings: NDArray[np.float32],
    people: NDArray[np.int32],
    acquired: NDArray[np.bool_] | None = None,
    *,
    tail_size: int = TAIL_SIZE,
    sample_size: int = SAMPLE_SIZE,
    seed: int = 0,
) -> Comparisons:
    """Compare every image with every other once.

    Args:
        embeddings: float32 (n, d), unit length; rows that were not acquired are ignored.
        people: int32 (n,) the person of each image, 0-based.
        acquired: bool (n,); None when every image gave a template.
        tail_size: Highest non-mated scores to keep exactly.
        sample_size: Non-mated scores to keep as a uniform sample.
        seed: Of the sample.

    Returns:
        The scores. Mated comparisons with an image that was not acquired score -inf; non-mated
        ones are not made, so that failures never lower a false match rate.
    """
    if embeddings.ndim != 2 or people.shape != (len(embeddings),):
        raise ArrayError(
            "embeddings must have shape (n, d) and people (n,); "
            f"received {embeddings.shape} and {people.shape}"
        )
    usable = np.ones(len(people), bool) if acquired is None else acquired
    people = people.astype(np.int32)
    kept = _NonMated(tail_size, sample_size, seed, _non_mated_total(people, usable))
    for scores, pairs in _non_mated_blocks(embeddings, people, np.flatnonzero(usable)):
        kept.add(scores, pairs)
    return Comparisons(_mated(embeddings, people, usable), kept.finish(), people, usable)


def highest_scores(
    probes: NDArray[np.float32], references: NDArray[np.float32], count: int = TAIL_SIZE
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Compare every probe with every reference and return the highest scores.

    Args:
        probes: float32 (n, d), unit length.
        references: float32 (m, d), unit length.
        count: Most scores to return.

    Returns:
        float32 (k,) descending, and int32 (k, 2) the probe and the reference of each; all of them
        where there are no more than `count`.
    """
    kept = _Highest(count)
    for start, stop in _row_blocks(len(probes), len(references)):
        scores = (probes[start:stop] @ references.T).astype(np.float32)
        row, column = np.indices(scores.shape, np.int32)
        kept.add(scores.ravel(), np.stack([row.ravel() + np.int32(start), column.ravel()], axis=1))
    return kept.finish()


def _row_blocks(rows: int, columns: int) -> Iterator[tuple[int, int]]:
    """Yield first and last (excluded) row of the blocks that a matrix is made in."""
    step = max(BLOCK_SCORES // max(columns, 1), 1)
    return ((start, min(start + step, rows)) for start in range(0, rows, step))


def _bin_of(scores: NDArray[np.float32] | np.float32) -> NDArray[np.intp]:
    position = (np.asarray(scores, np.float64) + 1.0) * (HISTOGRAM_BINS / 2)
    return np.clip(position, 0, HISTOGRAM_BINS - 1).astype(np.intp)


def _non_mated_total(people: NDArray[np.int32], usable: NDArray[np.bool_]) -> int:
    sizes = np.bincount(people[usable]).astype(np.int64)
    return int((sizes.sum() ** 2 - (sizes**2).sum()) // 2)


def _mated(
    embeddings: NDArray[np.float32], people: NDArray[np.int32], usable: NDArray[np.bool_]
) -> MatedScores:
    order = np.argsort(people, kind="stable").astype(np.int32)
    groups = np.split(order, np.flatnonzero(np.diff(people[order])) + 1) if len(order) else []
    parts = [group[np.stack(np.triu_indices(len(group), 1), 1)] for group in groups]
    pairs = np.concatenate([*parts, np.zeros((0, 2), np.int32)])
    scores = np.empty(len(pairs), np.float32)
    for start in range(0, len(pairs), 1 << 18):
        part = pairs[start : start + (1 << 18)]
        scores[start : start + len(part)] = np.einsum(
            "nd,nd->n", embeddings[part[:, 0]], embeddings[part[:, 1]]
        )
    scores[~usable[pairs].all(axis=1)] = -np.inf
    return MatedScores(scores, pairs, people[pairs[:, 0]] if len(pairs) else np.zeros(0, np.int32))


def _non_mated_blocks(
    embeddings: NDArray[np.float32], people: NDArray[np.int32], rows: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int32]]]:
    """Yield scores and image pairs of the part of the matrix above the people's diagonal."""
    order = rows[np.argsort(people[rows], kind="stable")].astype(np.int32)
    sorted_people = people[order]
    vectors = np.ascontiguousarray(embeddings[order])
    for start, stop in _row_blocks(len(order), len(order)):
        matrix = vectors[start:stop] @ vectors[start:].T
        # Sorted by person, "a later person" is both "another person" and "each pair once".
        wanted = sorted_people[None, start:] > sorted_people[start:stop, None]
        row, column = np.nonzero(wanted)
        pairs = np.stack([order[row + start], order[column + start]], axis=1)
        yield matrix[wanted], pairs


class _NonMated:
    """Gathers non-mated scores block by block in bounded memory."""

    def __init__(self, tail_size: int, sample_size: int, seed: int, total: int) -> None:
        self._tail = _Highest(tail_size)
        self._share = min(1.0, sample_size / max(total, 1))
        self._random = np.random.default_rng(seed)
        self._total = 0
        self._histogram = np.zeros(HISTOGRAM_BINS, np.int64)
        self._sample: list[tuple[NDArray[np.float32], NDArray[np.int32]]] = []

    def add(self, scores: NDArray[np.float32], pairs: NDArray[np.int32]) -> None:
        self._total += len(scores)
        self._histogram += np.bincount(_bin_of(scores), minlength=HISTOGRAM_BINS)
        self._tail.add(scores, pairs)
        if self._share >= 1.0:
            self._sample.append((scores, pairs))
        else:
            drawn = self._random.random(len(scores)) < self._share
            self._sample.append((scores[drawn], pairs[drawn]))

    def finish(self) -> NonMatedScores:
        sample = _descending(*_joined(self._sample))
        return NonMatedScores(self._total, self._histogram, *self._tail.finish(), *sample)


class _Highest:
    """Keeps the highest of the scores that it is given."""

    def __init__(self, size: int) -> None:
        self._size = max(size, 1)
        self._floor = -np.inf
        self._parts: list[tuple[NDArray[np.float32], NDArray[np.int32]]] = []

    def add(self, scores: NDArray[np.float32], pairs: NDArray[np.int32]) -> None:
        high = scores > self._floor
        self._parts.append((scores[high], pairs[high]))
        if sum(len(part) for part, _ in self._parts) > 2 * self._size:
            self._parts = [_highest(self._parts, self._size)]
            self._floor = float(self._parts[0][0].min())

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        return _descending(*_highest(self._parts, self._size))


def _joined(
    parts: list[tuple[NDArray[np.float32], NDArray[np.int32]]],
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    empty = (np.zeros(0, np.float32), np.zeros((0, 2), np.int32))
    scores, pairs = zip(*[*parts, empty], strict=True)
    return np.concatenate(scores), np.concatenate(pairs)


def _highest(
    parts: list[tuple[NDArray[np.float32], NDArray[np.int32]]], size: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    scores, pairs = _joined(parts)
    if len(scores) <= size:
        return scores, pairs
    kept = np.argpartition(scores, len(scores) - size)[len(scores) - size :]
    return scores[kept], pairs[kept]


def _descending(
    scores: NDArray[np.float32], pairs: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    order = np.argsort(-scores, kind="stable")
    return scores[order], pairs[order]
