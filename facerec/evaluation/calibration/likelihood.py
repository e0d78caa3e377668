"""The evidence side of an operating point: similarity to likelihood ratio, by quality."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from facerec.decision.likelihood_band import LikelihoodBand

__all__ = ["FEWEST_AT_ALL", "fit_bands"]

BAND_SHARES = (0.0, 0.1, 0.5)
"""Bands begin at the quality that these shares of mated comparisons lie below: the worst tenth,
the rest of the worse half, and the better half."""
FEWEST_MATED = 50
"""Mated comparisons that a band needs; else there is one band for all."""
FEWEST_AT_ALL = 20
"""Mated comparisons without which nothing is said of them."""


def fit_bands(
    mated: NDArray[np.float32],
    mated_quality: NDArray[np.float64],
    other: NDArray[np.float32],
    other_quality: NDArray[np.float64],
) -> tuple[LikelihoodBand, ...]:
    """Fit an affine map to the log-likelihood ratio in each band of quality.

    By logistic regression with both classes weighing the same, whose log-odds then are
    log-likelihood ratios (Bruemmer and du Preez 2006).

    Args:
        mated: float32 (n,) finite similarities.
        mated_quality: float64 (n,) quality of the worse of the two faces.
        other: float32 (m,) a uniform sample of non-mated similarities.
        other_quality: float64 (m,).

    Returns:
        Bands, least quality first; none with fewer than 20 mated comparisons.
    """
    if len(mated) < FEWEST_AT_ALL or len(other) < FEWEST_AT_ALL:
        return ()
    borders = np.unique(np.quantile(mated_quality, BAND_SHARES))
    borders[0] = 0.0
    bands = []
    for least, below in zip(borders, [*borders[1:], np.inf], strict=True):
        own = mated[(mated_quality >= least) & (mated_quality < below)]
        others = other[(other_quality >= least) & (other_quality < below)]
        if len(own) < FEWEST_MATED or len(others) < FEWEST_MATED:
            return (_fit(0.0, mated, other),)
        bands.append(_fit(float(least), own, others))
    return tuple(bands)


def _fit(least: float, mated: NDArray[np.float32], other: NDArray[np.float32]) -> LikelihoodBand:
    scores = np.concatenate([mated, other]).astype(np.float64)[:, None]
    labels = np.arange(len(scores)) < len(mated)
    # Brought to unit deviation, so that the solver's tolerance and penalty mean the same always.
    middle, deviation = float(scores.mean()), float(scores.std())
    model = LogisticRegression(C=1e6, class_weight="balanced", tol=1e-8, max_iter=1000)
    model.fit((scores - middle) / deviation, labels)
    slope = float(model.coef_[0, 0]) / deviation
    return LikelihoodBand(least, slope, float(model.intercept_[0]) - slope * middle)
