"""How well an embedder tells people apart that it has never seen."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.errors import TrainingError
from facerec.evaluation.metrics.bootstrap import Interval, verification_intervals
from facerec.evaluation.metrics.comparisons import Comparisons, compare_all
from facerec.evaluation.metrics.rates import equal_error_rate, error_curve, tar_at_far

__all__ = ["STATED_FMR", "Embed", "Verdict", "embed_chips", "judge"]

Embed = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Chips uint8 (n, s, s, 3) -> raw embeddings float32 (n, d)."""
STATED_FMR = 1e-2
"""False match rate whose true accept rate is stated: a few hundred people can show it."""
EMBED_AT_ONCE = 64
"""Pictures that a network is handed at once at most."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """How well people are told apart, every picture compared with every other.

    Attributes:
        eer: Equal error rate; .5 is chance.
        tar: True accept rate at the false match rate `STATED_FMR`.
        eer_interval: 95 %, over people; None when it was not asked for or cannot be given.
        tar_interval: Likewise.
        people: Number of people.
        pictures: Number of pictures.
        mated: Comparisons of a person with the same person.
        comparisons: All scores.
    """

    eer: float
    tar: float
    eer_interval: Interval | None
    tar_interval: Interval | None
    people: int
    pictures: int
    mated: int
    comparisons: Comparisons


def judge(embeddings: NDArray[np.float32], people: NDArray[np.int32], *, draws: int = 0) -> Verdict:
    """Judge embeddings of people of whom nothing was learned.

    Args:
        embeddings: float32 (n, d), of any length.
        people: int32 (n,).
        draws: Draws of people for the intervals; 0 for none.

    Raises:
        TrainingError: nobody can be compared with himself, or with anybody else; or an embedding
            is not finite.
    """
    with np.errstate(over="ignore"):  # an infinite length is told below
        lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and lengths.all()):
        raise TrainingError(
            "the network gives embeddings that are not finite or have no length; lower the "
            "learning rate"
        )
    numbers = np.unique(people, return_inverse=True)[1].astype(np.int32)
    comparisons = compare_all((embeddings / lengths).astype(np.float32), numbers)
    if not len(comparisons.mated) or not comparisons.non_mated.total:
        raise TrainingError(
            "judging needs two people, one of them with two pictures: "
            f"there are {len(np.unique(people))} people with {len(people)} pictures"
        )
    curve = error_curve(comparisons.mated, comparisons.non_mated)
    tar = tar_at_far(comparisons.mated, comparisons.non_mated, (STATED_FMR,))[0].rate
    intervals = verification_intervals(comparisons, (STATED_FMR,), draws=draws) if draws else {}
    return Verdict(
        equal_error_rate(curve),
        tar,
        intervals.get("eer"),
        intervals.get("tar_at_far:1e-2"),
        int(numbers.max()) + 1,
        len(people),
        len(comparisons.mated),
        comparisons,
    )


def embed_chips(
    embed: Embed, chips: Callable[[NDArray[np.intp]], NDArray[np.uint8]], rows: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Embed the chips of some rows, a fixed number at once, so that memory stays bounded.

    Args:
        embed: The network. The last call is filled up to the size of those before it, so that
            it is compiled for one size of batch only.
        chips: Reads the chips of rows.
        rows: intp (n,).
    """
    parts, size = [], min(EMBED_AT_ONCE, len(rows))
    for first in range(0, len(rows), size):
        part = rows[first : first + size]
        filled = np.resize(part, size)
        parts.append(np.asarray(embed(chips(filled)), np.float32)[: len(part)])
    return np.concatenate(parts)
