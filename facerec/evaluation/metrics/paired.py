"""A paired test of two systems on the same attempts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError
from facerec.evaluation.metrics.bootstrap import (
    DRAWS,
    Interval,
    interval_of,
    person_weights,
    verification_draws,
)
from facerec.evaluation.metrics.comparisons import Comparisons

__all__ = ["PairedDifference", "paired_difference", "verification_differences"]

FLIPS = 10_000
"""Random swaps of the two systems; the smallest p-value that can be stated is 1 / (FLIPS + 1)."""


@dataclass(frozen=True)
class PairedDifference:
    """How much more often system B is right than system A on the same attempts.

    Attributes:
        rate_a: Share of attempts that A judged rightly.
        rate_b: Share that B judged rightly.
        difference: ``rate_b - rate_a``.
        interval: Of the difference, by drawing people.
        p_value: Two-sided, by swapping A and B at random person by person: the chance of a
            difference at least this large if the two systems were alike.
        attempts: Number of attempts.
        only_a: Attempts that only A judged rightly.
        only_b: Attempts that only B judged rightly.
    """

    rate_a: float
    rate_b: float
    difference: float
    interval: Interval
    p_value: float
    attempts: int
    only_a: int
    only_b: int


def paired_difference(
    a: NDArray[np.bool_],
    b: NDArray[np.bool_],
    people: NDArray[np.int32],
    *,
    draws: int = DRAWS,
    flips: int = FLIPS,
    seed: int = 0,
) -> PairedDifference:
    """Test the difference between two systems, attempts of one person kept together.

    Args:
        a: bool (n,) attempts that A judged rightly.
        b: bool (n,) the same attempts by B.
        people: int32 (n,) the person of each attempt, the unit that is drawn and swapped.
        draws: Draws of people for the interval.
        flips: Random swaps for the p-value (a randomisation test: Edgington, 1980).
        seed: Of both.
    """
    if not len(a) or len(a) != len(b) or len(a) != len(people):
        raise ArrayError("a paired test needs the same attempts of both, and at least one")
    names, index = np.unique(people, return_inverse=True)
    gain = np.bincount(index, b.astype(float) - a.astype(float), len(names))
    count = np.bincount(index, minlength=len(names)).astype(float)
    spread = np.array(
        [(w @ gain) / (w @ count) for w in person_weights(len(names), draws, seed) if w @ count > 0]
    )
    observed = abs(gain.sum())
    moving = gain[gain != 0]
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (flips, len(moving)))
    extreme = int((np.abs(signs @ moving) >= observed - 1e-9).sum())
    return PairedDifference(
        float(a.mean()),
        float(b.mean()),
        float(b.mean() - a.mean()),
        interval_of(spread),
        (extreme + 1) / (flips + 1),
        len(a),
        int((a & ~b).sum()),
        int((b & ~a).sum()),
    )


def verification_differences(
    a: Comparisons,
    b: Comparisons,
    rates: tuple[float, ...],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return intervals of how much higher each rate of B is than that of A on the same pictures.

    Both are judged on the same draws of people, so what makes a draw easy or hard for both falls
    out of the difference.

    Args:
        a: All scores of A.
        b: All scores of B, of the same pictures in the same order.
        rates: False match rates.
        draws: Number of draws.
        seed: Of the draws.

    Returns:
        Interval of ``b - a`` by the keys of `verification_intervals`.
    """
    if not (np.array_equal(a.people, b.people) and np.array_equal(a.acquired, b.acquired)):
        raise ArrayError("a paired comparison needs the same pictures of both")
    first, second = (verification_draws(each, rates, draws=draws, seed=seed) for each in (a, b))
    differences = {name: second[name] - values for name, values in first.items()}
    known = {name: values[np.isfinite(values)] for name, values in differences.items()}
    return {name: interval_of(values) for name, values in known.items() if len(values)}
