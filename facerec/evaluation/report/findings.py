"""Signs that a system, or its test, is broken: each in words that say what to look for."""

import numpy as np
from numpy.typing import NDArray

from facerec.evaluation.metrics.comparisons import Comparisons
from facerec.evaluation.metrics.open_set import SearchScores

__all__ = ["comparison_findings", "search_findings"]

ALIKE = 0.999
"""Cosine similarity from which two templates are practically the same."""
CHANCE_AREA = 0.6
"""Area under the ROC below which scores hardly tell people apart; chance is .5."""
ENOUGH = 100
"""Mated comparisons from which the absence of every error is remarkable."""


def comparison_findings(comparisons: Comparisons) -> tuple[str, ...]:
    """Say what about the scores of a set cannot be the work of a sound system."""
    own = comparisons.mated.scores[np.isfinite(comparisons.mated.scores)]
    other = comparisons.non_mated.sample
    if not len(own) or not len(other):
        return ("No comparison could be made: every picture failed.",)
    findings = []
    if float(np.median(other)) > ALIKE:
        findings.append(
            "The templates are all alike: half of the comparisons of different people score above "
            f"{ALIKE}. The embedder gives (nearly) the same output whatever the picture."
        )
    elif _area(own, other) < CHANCE_AREA:
        findings.append(
            "Scores do not tell people apart: the area under the ROC is "
            f"{_area(own, other):.3f}, and chance is 0.5. Templates may belong to other pictures "
            "than they are listed for (shuffled), labels may be wrong, or the embedder is broken."
        )
    elif float(np.median(own)) > ALIKE:
        findings.append(
            "Different pictures of a person give the same template: half of the mated comparisons "
            f"score above {ALIKE}. The embedder sees who it is (a name, a path, a folder), or "
            "pictures are copies of each other."
        )
    elif len(own) >= ENOUGH and own.min() > other[0] and comparisons.non_mated.total > len(own):
        findings.append(
            f"There is no error at all in {len(own)} mated and {comparisons.non_mated.total} "
            "non-mated comparisons. No known system does that on pictures of real life: look for "
            "a leak of identity into the templates (names, paths, order), or for copies."
        )
    return tuple(findings)


def search_findings(scores: SearchScores) -> tuple[str, ...]:
    """Say what about the scores of a search cannot be the work of a sound system."""
    own, strangers = (s[np.isfinite(s)] for s in (scores.own, scores.stranger))
    if not len(own) or not len(strangers):
        return ("No search could be made: every probe failed.",)
    findings = []
    if float(np.median(strangers)) > ALIKE:
        findings.append(
            "Strangers score as high as can be: the templates are all alike, whatever the picture."
        )
    elif scores.rank1 < min(0.5, 5 / scores.searched + 0.05):
        findings.append(
            f"The right person comes first in {scores.rank1:.1%} of searches, hardly more often "
            "than by chance: templates or labels do not belong to their pictures (shuffled)."
        )
    elif len(own) >= ENOUGH and float(np.median(own)) > ALIKE:
        findings.append(
            "Probes give the same template as the reference, though the pictures differ: identity "
            "leaks into the templates, or pictures are copies of each other."
        )
    elif len(own) >= ENOUGH and own.min() > strangers.max() and scores.rank1 == 1.0:
        findings.append(
            f"There is no error at all in {len(own)} searches: look for a leak of identity into "
            "the templates, or for copies of pictures."
        )
    return tuple(findings)


def _area(own: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the area under the ROC: the chance that a mated score beats a non-mated one."""
    ascending = other[::-1]
    below = np.searchsorted(ascending, own, side="left")
    tied = np.searchsorted(ascending, own, side="right") - below
    return float((below + 0.5 * tied).mean() / len(other))
