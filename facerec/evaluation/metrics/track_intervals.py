"""Confidence intervals of rates over few people, by drawing people with replacement."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facerec.evaluation.metrics.bootstrap import Interval, bootstrap

__all__ = ["share_interval"]


def share_interval(hits: Sequence[bool], people: Sequence[str]) -> Interval | None:
    """Return the 95 % interval of the share of attempts that hit.

    Where all attempts or none hit, every draw gives the same and the bootstrap would promise
    certainty: there the exact bound of n people who all did is taken (Clopper and Pearson, 'The use
    of confidence or fiducial limits', Biometrika 26, 1934): ``.025 ** (1 / n)``. One person of whom
    some attempts hit says nothing of others.

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
    exact = float(0.025 ** (1 / len(names)))
    if right.all():
        return Interval(exact, 1.0)
    if not right.any():
        return Interval(0.0, 1.0 - exact)
    if len(names) == 1:
        return Interval(0.0, 1.0)

    def share(weights: NDArray[np.float64]) -> float | None:
        counted = weights[owners]
        return float(counted @ right / counted.sum()) if counted.sum() else None

    return bootstrap(share, len(names))
