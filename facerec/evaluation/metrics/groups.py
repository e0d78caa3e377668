"""Error rates by group of people, at one threshold for all."""

from dataclasses import dataclass

import numpy as np

from facerec.evaluation.metrics.comparisons import Comparisons
from facerec.evaluation.metrics.rates import least_claimable

__all__ = ["GroupRates", "disparity", "group_rates"]


@dataclass(frozen=True)
class GroupRates:
    """Error rates of one group at the threshold that everybody is judged at.

    Attributes:
        group: Its label.
        people: Number of people.
        images: Number of images.
        mated: Number of mated comparisons.
        non_mated: Number of non-mated comparisons with both people in the group.
        fnmr: False non-match rate; None without mated comparisons.
        fmr: False match rate; None without non-mated comparisons.
        fta: Share of images that gave no template.
    """

    group: str
    people: int
    images: int
    mated: int
    non_mated: int
    fnmr: float | None
    fmr: float | None
    fta: float


def group_rates(
    comparisons: Comparisons, groups: tuple[str, ...], threshold: float
) -> tuple[GroupRates, ...]:
    """Return each group's error rates at one threshold.

    Args:
        comparisons: All scores; the threshold must lie within the exact tail of the non-mated.
        groups: Label of each person, by index; "" for people without one, who are left out.
        threshold: Similarity from which is accepted.
    """
    labels, of_person = np.unique(np.array(groups), return_inverse=True)
    of_image = of_person[comparisons.people]
    accepted = comparisons.non_mated.tail >= threshold
    false = of_image[comparisons.non_mated.tail_pairs[accepted]]
    rates = []
    for index, label in enumerate(labels):
        if not label:
            continue
        usable = (of_image == index) & comparisons.acquired
        sizes = np.bincount(comparisons.people[usable]).astype(np.int64)
        pairs = int((sizes.sum() ** 2 - (sizes**2).sum()) // 2)
        inside = of_person[comparisons.mated.people] == index
        scores = comparisons.mated.scores[inside]
        images = int((of_image == index).sum())
        rates.append(
            GroupRates(
                str(label),
                int((of_person == index).sum()),
                images,
                len(scores),
                pairs,
                float(np.mean(scores < threshold)) if len(scores) else None,
                float((false == index).all(axis=1).sum() / pairs) if pairs else None,
                1.0 - float(usable.sum()) / max(images, 1),
            )
        )
    return tuple(rates)


def disparity(rates: tuple[GroupRates, ...], factor: float) -> tuple[str, ...]:
    """Say in words which error rates differ between groups by more than a factor.

    A rate of zero is taken as the least that its number of comparisons can show (rule of three),
    so that small groups raise no false alarm.
    """
    warnings = []
    for name, trials in (("fmr", "non_mated"), ("fnmr", "mated")):
        known: list[tuple[float, float, str]] = []
        for group in rates:
            rate: float | None = getattr(group, name)
            if rate is not None:
                bound = least_claimable(int(getattr(group, trials)))
                known.append((rate, max(rate, bound), group.group))
        if len(known) < 2:
            continue
        worst = max(known)
        best = min(known, key=lambda entry: entry[1])
        if worst[0] > factor * best[1]:
            warnings.append(
                f"{name.upper()} of group {worst[2]} ({worst[0]:.2g}) is more than {factor:g} "
                f"times that of group {best[2]} ({best[0]:.2g})"
            )
    return tuple(warnings)
