"""FPIR as a gallery grows, from galleries drawn out of the people at hand."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

__all__ = ["expected_fpir"]

ROUNDING = 1e-9


def expected_fpir(
    best: NDArray[np.float32], thresholds: NDArray[np.float64], sizes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the mean FPIR over all galleries of each size drawn from the enrolled people.

    A stranger who reaches the threshold with k of M people is named by a random gallery of N of
    them unless it holds none of the k: with the chance ``1 - C(M - k, N) / C(M, N)``
    (hypergeometric). So this is what drawing galleries without end would give, without drawing.

    Args:
        best: float32 (strangers, people): best score of each stranger with each person.
        thresholds: float64 (t,) similarities.
        sizes: int64 (s,) gallery sizes, at most the number of people.

    Returns:
        float64 (t, s).
    """
    strangers, people = best.shape
    rates = np.empty((len(thresholds), len(sizes)))
    for row, threshold in enumerate(thresholds):
        above = np.bincount((best >= threshold).sum(axis=1), minlength=people + 1)
        k = np.flatnonzero(above)
        for column, size in enumerate(sizes):
            possible = people - k >= size
            spared = np.zeros(len(k))
            spared[possible] = np.exp(
                gammaln(people - k[possible] + 1)
                - gammaln(people - k[possible] - size + 1)
                - gammaln(people + 1)
                + gammaln(people - size + 1)
            )
            named = strangers - float(above[k] @ spared)
            # Less than this is rounding of the logarithms, and no chance at all.
            rates[row, column] = named / strangers if named > ROUNDING * strangers else 0.0
    return rates
