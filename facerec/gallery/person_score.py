"""How alike a person is to a probe, given how alike each of their templates is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAXIMUM", "PersonScore"]


@dataclass(frozen=True)
class PersonScore:
    """The mean of a person's best few similarities; with one of them, their maximum.

    No score is above the person's highest similarity, which is what lets a search stop: whoever has
    no template above a bound has no score above it either.

    Attributes:
        best_of: How many of the highest similarities count, at least 1; of a person with fewer
            templates, all.
    """

    best_of: int = 1

    def one(self, similarities: NDArray[np.float32]) -> float:
        """Score one person by the similarities (n,) of all their templates, n >= 1."""
        if len(similarities) == 1:
            return float(similarities[0])
        if self.best_of == 1:
            return float(similarities.max())
        best = sorted(similarities.tolist(), reverse=True)[: self.best_of]
        return float(np.float32(sum(best) / len(best)))

    def scores(
        self, similarities: NDArray[np.float32], starts: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Score people.

        Args:
            similarities: float32 (n,): of all their templates, a person's together.
            starts: int64 (p,): where each person's begin; the first is 0.

        Returns:
            float32 (p,).
        """
        if len(starts) == len(similarities):
            return similarities
        if self.best_of == 1:
            highest: NDArray[np.float32] = np.maximum.reduceat(similarities, starts)
            return highest
        counts = np.diff(np.append(starts, len(similarities)))
        person = np.repeat(np.arange(len(starts)), counts)
        order = np.lexsort((-similarities, person))
        rank = np.arange(len(similarities)) - np.repeat(starts, counts)
        counted = np.where(rank < self.best_of, similarities[order], np.float32(0))
        totals = np.add.reduceat(counted.astype(np.float64), starts)
        return (totals / np.minimum(counts, self.best_of)).astype(np.float32)


MAXIMUM = PersonScore()
"""The score that operating points are measured with."""
