"""Error-versus-discard: how much error goes when the pictures of least quality go."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError
from facerec.evaluation.metrics.comparisons import MatedScores

__all__ = ["DiscardCurve", "discard_curve"]

SHARES = tuple(round(0.01 * step, 2) for step in range(0, 51))
"""Shares of images discarded: 0 to 50 % in steps of 1 %."""
TIE_ORDERS = 16
"""Random orders of images of equal quality that are averaged: a measure that calls many images
perfect must not profit from the order of their names."""


@dataclass(frozen=True, eq=False)
class DiscardCurve:
    """False non-matches left as images of least quality are discarded, at a fixed threshold.

    Attributes:
        discarded: float64 (s,) share of images discarded.
        left: float64 (s,) false non-matches left, as a share of those at no discard.
        fnmr: float64 (s,) false non-match rate among the comparisons left.
        false_non_matches: Number at no discard.
    """

    discarded: NDArray[np.float64]
    left: NDArray[np.float64]
    fnmr: NDArray[np.float64]
    false_non_matches: int

    def left_at(self, share: float) -> float:
        """Return the share of false non-matches left after discarding `share` of the images."""
        return float(np.interp(share, self.discarded, self.left))


def discard_curve(
    mated: MatedScores,
    quality: NDArray[np.float64],
    threshold: float,
    shares: tuple[float, ...] = SHARES,
) -> DiscardCurve:
    """Discard images from the least quality up and count what is left (ISO/IEC 29794-1).

    Args:
        mated: Mated comparisons; failures to acquire are left out, for they have no quality.
        quality: float64 (images,) quality of each image, rising with fitness.
        threshold: Similarity from which is accepted.
        shares: Shares of the images that took part in a mated comparison, ascending from 0.

    Returns:
        The curve. A comparison goes when either of its images goes.
    """
    made = np.isfinite(mated.scores)
    if not made.any():
        raise ArrayError("a discard curve needs at least one mated comparison that was made")
    pairs, missed = mated.pairs[made], mated.scores[made] < threshold
    taking_part = np.unique(pairs)
    cut = np.floor(np.array(shares) * len(taking_part) + 1e-9)
    random = np.random.default_rng(0)
    remaining, made_left = np.zeros(len(cut)), np.zeros(len(cut))
    for _ in range(TIE_ORDERS):
        shuffled = random.permutation(taking_part)
        order = shuffled[np.argsort(quality[shuffled], kind="stable")]
        place = np.empty(len(quality), np.intp)
        place[order] = np.arange(len(order))
        kept = place[pairs].min(axis=1)[None, :] >= cut[:, None]
        remaining += (kept & missed[None, :]).sum(axis=1) / TIE_ORDERS
        made_left += kept.sum(axis=1) / TIE_ORDERS
    total = int(missed.sum())
    return DiscardCurve(
        np.array(shares), remaining / max(total, 1), remaining / np.maximum(made_left, 1), total
    )
