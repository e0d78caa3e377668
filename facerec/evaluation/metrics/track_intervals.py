"""Confidence intervals of rates over few people, by drawing people with replacement."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facerec.evaluation.metrics.bootstrap import Interval, bootstrap, uncertain

__all__ = ["share_interval"]


def share_interval(hits: Sequence[bool], people: Sequence[str]) -> Interval | None:
    """Return the 95 % interval of the share of attempts that hit.

    One person of whom some attempts hit says nothing of others; where all attempts or none hit,
    see `uncertain`.

    Args:
        hits: Whether each attempt hit.
        people: Whose each attempt is; attempts of one person are not independent.

    Returns:
        None where there are no attempts.
    """
    if not len(hits):
        return None
    right = np.array(hits, bool)
    names, owners = np.unique(np.array(people), return_inverse=True)
    rate = float(right.mean())
    if rate in (0.0, 1.0):
        return uncertain(Interval(rate, rate), rate, len(names))
    if len(names) == 1:
        return Interval(0.0, 1.0)

    def share(weights: NDArray[np.float64]) -> float | None:
        counted = weights[owners]
        return float(counted @ right / counted.sum()) if counted.sum() else None

    return bootstrap(share, len(names))
