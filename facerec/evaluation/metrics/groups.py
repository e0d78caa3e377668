"""Error rates by group of people, at one threshold for all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.evaluation.metrics.bootstrap import Interval, bootstrap, uncertain
from facerec.evaluation.metrics.comparisons import Comparisons
from facerec.evaluation.metrics.open_set import SearchScores
from facerec.evaluation.metrics.rates import least_claimable

__all__ = [
    "GroupRates", "SearchGroupRates", "disparity", "group_rates", "search_group_rates",
]  # fmt: skip

COMPARED = (("fmr", "non_mated"), ("fnmr", "mated"), ("fta", "images"), ("fpir", "strangers"),
            ("fnir", "probes"))  # fmt: skip
"""Rates that groups are held against each other by, and what counts their trials."""


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
        fnmr_interval: 95 %, over the group's people; None without mated comparisons.
        fmr_interval: The same of the false match rate.
    """

    group: str
    people: int
    images: int
    mated: int
    non_mated: int
    fnmr: float | None
    fmr: float | None
    fta: float
    fnmr_interval: Interval | None = None
    fmr_interval: Interval | None = None


@dataclass(frozen=True)
class SearchGroupRates:
    """Error rates of searches for one group, at the threshold that everybody is judged at.

    Attributes:
        group: Its label.
        probes: Number of mated probes of its people.
        strangers: Number of strangers of the group.
        fnir: Share of its mated probes not named, or not rightly; None without any.
        fpir: Share of its strangers that are named as anybody; None without any.
        fnir_interval: 95 %, over the group's people; None without probes.
        fpir_interval: 95 %, over the group's strangers; None without any.
    """

    group: str
    probes: int
    strangers: int
    fnir: float | None
    fpir: float | None
    fnir_interval: Interval | None
    fpir_interval: Interval | None


def search_group_rates(
    scores: SearchScores, groups: tuple[str, ...], threshold: float
) -> tuple[SearchGroupRates, ...]:
    """Return the error rates of searches for each group at one threshold.

    Args:
        scores: Of all probes.
        groups: Label of each person, by index; "" for people without one, who are left out.
        threshold: Similarity from which somebody is named.
    """
    labels = np.array(groups)
    missed = (scores.own < threshold) | (scores.rank > 1)
    named = scores.stranger >= threshold
    rates = []
    for label in np.unique(labels[labels != ""]):
        mated, strangers = (
            labels[people] == label for people in (scores.own_people, scores.stranger_people)
        )
        fnir, fnir_interval = _share(missed[mated], scores.own_people[mated])
        fpir, fpir_interval = _share(named[strangers], scores.stranger_people[strangers])
        counts = int(mated.sum()), int(strangers.sum())
        rates.append(
            SearchGroupRates(str(label), *counts, fnir, fpir, fnir_interval, fpir_interval)
        )
    return tuple(rates)


def _share(
    hits: NDArray[np.bool_], people: NDArray[np.int32]
) -> tuple[float | None, Interval | None]:
    """Return the share of attempts that hit, and its interval over people."""
    if not len(hits):
        return None, None
    names, owners = np.unique(people, return_inverse=True)

    def share(weights: NDArray[np.float64]) -> float | None:
        counted = weights[owners]
        return float(counted @ hits / counted.sum()) if counted.sum() else None

    rate = float(hits.mean())
    return rate, _honest(bootstrap(share, len(names)), rate, len(names))


def group_rates(
    comparisons: Comparisons, groups: tuple[str, ...], threshold: float
) -> tuple[GroupRates, ...]:
    """Return each group's error rates at one threshold.

    Args:
        comparisons: All scores; the threshold must lie within the exact tail of the non-mated.
        groups: Label of each person, by index; "" for people without one, who are left out.
        threshold: Similarity from which is accepted.
    """
    labels = np.array(groups)
    return tuple(
        _rates_of(comparisons, str(label), labels == label, threshold)
        for label in np.unique(labels)
        if label
    )


def _rates_of(
    comparisons: Comparisons, label: str, inside: NDArray[np.bool_], threshold: float
) -> GroupRates:
    """Return the rates of the people who are `inside`: bool (people,)."""
    members, other = np.flatnonzero(inside), comparisons.non_mated
    own = inside[comparisons.people]
    usable = own & comparisons.acquired
    sizes = np.bincount(comparisons.people[usable], minlength=len(inside))[members].astype(float)
    place = np.cumsum(inside) - 1
    accepted = comparisons.people[other.tail_pairs[other.tail >= threshold]]
    false = place[accepted[inside[accepted].all(axis=1)]]
    mated = inside[comparisons.mated.people]
    owners = place[comparisons.mated.people[mated]]
    missed = comparisons.mated.scores[mated] < threshold

    def fnmr(weights: NDArray[np.float64]) -> float | None:
        counted = weights[owners]
        return float(counted @ missed / counted.sum()) if counted.sum() else None

    def fmr(weights: NDArray[np.float64]) -> float | None:
        pairs = ((sizes @ weights) ** 2 - sizes**2 @ weights**2) / 2
        return float((weights[false[:, 0]] @ weights[false[:, 1]]) / pairs) if pairs > 0 else None

    once = np.ones(len(members))
    fnmr_interval, fmr_interval = (bootstrap(rate, len(members)) for rate in (fnmr, fmr))
    missing, matching = fnmr(once), fmr(once)
    apart = int((sizes > 0).sum()) // 2  # pairs of people that share nobody are independent
    return GroupRates(
        label,
        len(members),
        int(own.sum()),
        int(mated.sum()),
        int((sizes.sum() ** 2 - (sizes**2).sum()) // 2),
        missing,
        matching,
        1.0 - float(usable.sum()) / max(int(own.sum()), 1),
        _honest(fnmr_interval, missing, len(np.unique(owners))),
        _honest(fmr_interval, matching, apart),
    )


def _honest(interval: Interval | None, rate: float | None, people: int) -> Interval | None:
    return None if interval is None or rate is None else uncertain(interval, rate, people)


def disparity(
    rates: Sequence[GroupRates] | Sequence[SearchGroupRates], factor: float
) -> tuple[str, ...]:
    """Say in words which error rates differ between groups by more than a factor.

    A rate of zero is taken as the least that its number of trials can show (rule of three), so
    that small groups raise no false alarm.
    """
    warnings = []
    for name, trials in COMPARED:
        known: list[tuple[float, float, str]] = []
        for group in rates:
            rate: float | None = getattr(group, name, None)
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
