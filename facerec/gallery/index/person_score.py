"""How alike a person is to a probe, given how alike each of their templates is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAXIMUM", "SHIPPED", "SHORTEST_MEAN", "PersonScore", "lengths_of_means"]

SHORTEST_MEAN = 0.6
"""Least length of the mean of a person's templates at which it is taken as a template. The mean of
many templates that are alike by r on average is sqrt(r) long; below r = .36 they show the person so
differently that their middle shows nobody (two templates of one person in LFW: .65)."""

ROUNDING = 1e-6
"""More than single precision loses in a similarity of unit vectors."""


@dataclass(frozen=True)
class PersonScore:
    """The mean of a person's best few similarities; with one of them, their maximum.

    Attributes:
        best_of: How many of the highest similarities count, at least 1; of a person with fewer,
            all.
        with_mean: Whether the similarity of the mean of the person's templates counts as one more.
            It is mean(s) / |mean template| for similarities s, so no mean need be kept.
    """

    best_of: int = 1
    with_mean: bool = False

    def one(self, similarities: NDArray[np.float32], length: float = 1.0) -> float:
        """Score one person.

        Args:
            similarities: float32 (n,), of all their templates, n >= 1.
            length: Of the mean of their templates, as in `lengths_of_means`.
        """
        if len(similarities) == 1:
            return float(similarities[0])
        known = similarities.tolist()
        if self.with_mean and length >= SHORTEST_MEAN:
            known.append(sum(known) / len(known) / length)
        if self.best_of == 1:
            return float(np.float32(max(known)))
        best = sorted(known, reverse=True)[: self.best_of]
        return float(np.float32(sum(best) / len(best)))

    def of(self, templates: NDArray[np.float32], probe: NDArray[np.float32]) -> float:
        """Score one person by all their templates, float32 (n, d), against a probe, (d,)."""
        length = lengths_of_means(templates, np.zeros(1, np.int64))[0]
        return self.one(templates @ probe, float(length))

    def scores(
        self,
        similarities: NDArray[np.float32],
        starts: NDArray[np.int64],
        lengths: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Score people.

        Args:
            similarities: float32 (n,): of all their templates, a person's together.
            starts: int64 (p,): where each person's begin; the first is 0.
            lengths: float32 (p,): of the means of their templates; needed with `with_mean`.

        Returns:
            float32 (p,).
        """
        if len(starts) == len(similarities):
            return similarities
        if self.best_of == 1 and not self.with_mean:
            highest: NDArray[np.float32] = np.maximum.reduceat(similarities, starts)
            return highest
        counts = np.diff(np.append(starts, len(similarities)))
        person = np.repeat(np.arange(len(starts)), counts)
        known = similarities.astype(np.float64)
        if self.with_mean and lengths is not None:
            fit = np.flatnonzero((counts > 1) & (lengths >= SHORTEST_MEAN))
            means = np.add.reduceat(known, starts)[fit] / counts[fit] / lengths[fit]
            known, person = np.append(known, means), np.append(person, fit)
            counts[fit] += 1
        order = np.lexsort((-known, person))
        first = np.cumsum(counts) - counts
        rank = np.arange(len(known)) - np.repeat(first, counts)
        counted = np.where(rank < self.best_of, known[order], 0.0)
        totals = np.add.reduceat(counted, first)
        return (totals / np.minimum(counts, self.best_of)).astype(np.float32)

    def reach(self, highest: NDArray[np.float32], shortest: float) -> NDArray[np.float32]:
        """Return what a person's score cannot exceed; it is what lets a search stop.

        The mean template is at most ``highest / length`` alike where that is positive, and counts
        for at most one of three (one of `best_of`, if that is less): who has a mean has two
        templates beside it.

        Args:
            highest: float32 (n,), no similarity of the person is above it.
            shortest: Least length of a mean among the people, as in `lengths_of_means`.
        """
        if not self.with_mean:
            return highest
        length = max(shortest, SHORTEST_MEAN)
        share = (1 / length - 1) / min(self.best_of, 3)
        grown = highest + share * np.maximum(highest, 0)
        return np.asarray(grown + ROUNDING, np.float32)


def lengths_of_means(
    embeddings: NDArray[np.float32], starts: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return how long the mean of each person's templates is: float32 (p,), 0..1.

    Args:
        embeddings: float32 (n, d), unit length, a person's together.
        starts: int64 (p,): where each person's begin; the first is 0.
    """
    if len(starts) == len(embeddings):
        return np.ones(len(starts), np.float32)
    counts = np.diff(np.append(starts, len(embeddings)))
    means = np.add.reduceat(embeddings, starts, axis=0) / counts[:, None].astype(np.float32)
    lengths: NDArray[np.float32] = np.linalg.norm(means, axis=1)
    return lengths


MAXIMUM = PersonScore()
"""A person's score is that of the template most like the probe."""

SHIPPED = PersonScore(best_of=2, with_mean=True)
"""The score of a system as it is shipped. On LFW it misses fewer of the enrolled than the maximum
does at the same threshold, and names fewer strangers (docs/accuracy.md); operating points are
measured with one template a person, where all scores are the same."""
