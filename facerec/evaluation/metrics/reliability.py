"""Whether stated probabilities come true."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError

__all__ = ["Reliability", "reliability"]


@dataclass(frozen=True, eq=False)
class Reliability:
    """Stated probability of a mate against how often it was one, in equal bins of probability.

    Attributes:
        stated: float64 (b,) mean stated probability of each bin that holds anything.
        observed: float64 (b,) weighted share of mates in it.
        weight: float64 (b,) share of all weight in it.
        expected_calibration_error: Weighted mean of ``|stated - observed|``: Naeini and others,
            'Obtaining well calibrated probabilities using Bayesian binning', AAAI 2015.
    """

    stated: NDArray[np.float64]
    observed: NDArray[np.float64]
    weight: NDArray[np.float64]
    expected_calibration_error: float


def reliability(
    log_likelihood_ratios: NDArray[np.float64],
    mated: NDArray[np.bool_],
    *,
    prior: float = 0.5,
    bins: int = 15,
    weights: NDArray[np.float64] | None = None,
) -> Reliability:
    """Hold stated evidence against what was true.

    Args:
        log_likelihood_ratios: float64 (n,) natural logarithms.
        mated: bool (n,).
        prior: Probability of a mate before the comparison; comparisons are weighed so that mates
            make up this share, for a sample holds far fewer mates than a gate sees.
        bins: Equal bins of probability.
        weights: float64 (n,) how many comparisons each score stands for; None for one each.
    """
    if not mated.any() or mated.all():
        raise ArrayError("reliability needs mated and non-mated comparisons")
    given = np.ones(len(mated)) if weights is None else weights
    share = np.where(mated, prior / given[mated].sum(), (1 - prior) / given[~mated].sum()) * given
    odds = log_likelihood_ratios + np.log(prior / (1 - prior))
    probability = 1.0 / (1.0 + np.exp(-np.clip(odds, -700, 700)))
    index = np.minimum((probability * bins).astype(np.intp), bins - 1)
    weight = np.bincount(index, share, bins).astype(np.float64)
    held = weight > 0
    stated = np.bincount(index, share * probability, bins)[held] / weight[held]
    observed = np.bincount(index, share * mated, bins)[held] / weight[held]
    error = float(np.sum(weight[held] * np.abs(stated - observed)))
    return Reliability(stated, observed, weight[held], error)
