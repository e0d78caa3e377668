"""When an enrolment is a mistake: pure rules on similarities, at stated rates."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from facerec.decision.operating_point import OperatingPoint

__all__ = [
    "EnrolmentRules",
    "Objection",
    "OwnPictures",
    "Resemblance",
    "Thresholds",
    "agreement",
    "doubles",
    "look_alikes",
    "own_similarity",
    "thresholds",
]


class Objection(StrEnum):
    """What speaks against an enrolment beside the quality of pictures; stable words."""

    NOT_LIKE_THE_OTHERS = "not_like_the_others"
    """A picture shows somebody else than the person's other pictures."""
    PICTURES_DISAGREE = "pictures_disagree"
    """The pictures show several people, and none of them is in most."""
    ALREADY_ENROLLED = "already_enrolled"
    """The same person is enrolled under another profile."""
    LOOK_ALIKE = "look_alike"
    """Somebody else who is enrolled looks nearly the same."""
    SAME_NAME = "same_name"
    """Another profile has the same display name."""


@dataclass(frozen=True)
class EnrolmentRules:
    """At what rates enrolments are held to be mistakes.

    Attributes:
        duplicate_fpir: Share of newcomers who may be taken for somebody enrolled, and refused.
        look_alike_fpir: Share of strangers whom the gallery may name: whoever resembles a newcomer
            that much would be mistaken for them at a camera.
        own_pictures_fmr: Share of pictures of somebody else that may pass as one of the person's.
        min_margin: Least lead, in similarity, of a person over everybody else.
    """

    duplicate_fpir: float
    look_alike_fpir: float
    own_pictures_fmr: float
    min_margin: float


@dataclass(frozen=True)
class Thresholds:
    """The similarities of `EnrolmentRules` for one newcomer.

    Attributes:
        same_person: From here on they are somebody who is enrolled.
        look_alike: From here on they could be named for somebody who is enrolled, or the reverse.
        own_pictures: From here on two pictures show one person.
    """

    same_person: float
    look_alike: float
    own_pictures: float


@dataclass(frozen=True)
class Resemblance:
    """Somebody enrolled who is like a newcomer.

    Attributes:
        profile_id: Who.
        similarity: Highest over the pictures of both, -1..1.
        threshold: What it was held against.
    """

    profile_id: str
    similarity: float
    threshold: float


@dataclass(frozen=True)
class OwnPictures:
    """Whether the pictures of one person agree.

    Attributes:
        outliers: Positions of those that show somebody else than the others.
        agree: False when no person is in most pictures, so that none can be called the outlier.
    """

    outliers: tuple[int, ...] = ()
    agree: bool = True


def thresholds(
    point: OperatingPoint, rules: EnrolmentRules, *, templates: int, pictures: int
) -> Thresholds:
    """Return what a newcomer's similarities are held against.

    Each picture is compared with each template, so a stranger has `templates` x `pictures`
    chances to look like somebody; the rates hold for all of them together, as in
    `OperatingPoint.threshold_at_fpir` for a gallery of so many. In galleries so large that
    the sample of the operating point tells nothing of a rate, the lowest that it can foretell is
    taken: the check then stops a few more newcomers than asked for, and never fails to be made.

    Args:
        point: Rates of the space that the pictures are embedded in.
        rules: The rates asked for.
        templates: How many are enrolled.
        pictures: How many pictures the newcomer has.

    Raises:
        OperatingPointError: a rate is not between 0 and 1.
    """
    chances = max(templates, 1) * max(pictures, 1)
    return Thresholds(
        same_person=_at_any_of(point, rules.duplicate_fpir, chances),
        look_alike=_at_any_of(point, rules.look_alike_fpir, chances),
        own_pictures=point.threshold_at_fmr(max(rules.own_pictures_fmr, _lowest(point))),
    )


def agreement(
    similarities: NDArray[np.float32], threshold: float, *, enrolled: int = 0
) -> OwnPictures:
    """Say which pictures of a person show somebody else.

    Pictures that are alike, directly or through others, show one person; so a profile view that is
    like some of the frontal ones is no outlier. The largest such group is the person. When
    templates of the person are enrolled already, the group with most of those is.

    Args:
        similarities: float32 (n, n) of all pictures, enrolled ones first.
        threshold: From here on two pictures show one person.
        enrolled: How many of them are enrolled already.

    Returns:
        Positions of outliers among the pictures that are not enrolled already.
    """
    groups = _groups(np.asarray(similarities) >= threshold)
    if len(groups) < 2:
        return OwnPictures()
    sizes = [(sum(i < enrolled for i in group), len(group)) for group in groups]
    largest = max(sizes)
    if sizes.count(largest) > 1:
        return OwnPictures(agree=False)
    person = groups[sizes.index(largest)]
    outliers = [i - enrolled for i in range(enrolled, len(similarities)) if i not in person]
    return OwnPictures(tuple(outliers))


def doubles(others: Mapping[str, float], limits: Thresholds) -> tuple[Resemblance, ...]:
    """Return who is the same person as a newcomer, most alike first.

    Args:
        others: Profile id -> highest similarity of any of the newcomer's pictures.
        limits: Of this newcomer.
    """
    return _above(others, limits.same_person)


def look_alikes(
    others: Mapping[str, float], limits: Thresholds, own: float | None, min_margin: float
) -> tuple[Resemblance, ...]:
    """Return who is so like a newcomer that a camera may confuse them, most alike first.

    They are those whom this gallery's own threshold would name, and those who come as close to the
    newcomer as the newcomer's own pictures do to each other, up to the margin that is asked for.

    Args:
        others: Profile id -> highest similarity of any of the newcomer's pictures.
        limits: Of this newcomer.
        own: Similarity of the newcomer's own pictures to each other; None when there is one.
        min_margin: Least lead over everybody else.
    """
    threshold = limits.look_alike
    if own is not None and own >= threshold:  # else nobody would be named, and nobody mistaken
        threshold = min(threshold, own - min_margin)
    same = {double.profile_id for double in doubles(others, limits)}
    return tuple(found for found in _above(others, threshold) if found.profile_id not in same)


def own_similarity(similarities: NDArray[np.float32]) -> float | None:
    """Return how alike a person's pictures are: the median of each one's best; None for one.

    Args:
        similarities: float32 (n, n) of the person's pictures.
    """
    if len(similarities) < 2:
        return None
    others = np.array(similarities, np.float32)
    np.fill_diagonal(others, -1.0)
    return float(np.median(others.max(axis=1)))


def _above(others: Mapping[str, float], threshold: float) -> tuple[Resemblance, ...]:
    found = [Resemblance(who, s, threshold) for who, s in others.items() if s >= threshold]
    return tuple(sorted(found, key=lambda each: -each.similarity))


def _at_any_of(point: OperatingPoint, fpir: float, chances: int) -> float:
    """Return the threshold that a stranger with so many chances reaches at a share `fpir`."""
    each = -math.expm1(math.log1p(-fpir) / chances) if 0 < fpir < 1 else fpir
    return point.threshold_at_fpir(max(each, _lowest(point)) if fpir > 0 else fpir, 1)


def _lowest(point: OperatingPoint) -> float:
    return point.lowest_fmr * (1 + 1e-9)


def _groups(alike: NDArray[np.bool_]) -> Sequence[frozenset[int]]:
    """Return the connected components of a symmetric relation of n things."""
    left = set(range(len(alike)))
    groups = []
    while left:
        group, edge = set[int](), {min(left)}
        while edge:
            group |= edge
            edge = {j for i in edge for j in left if alike[i, j] or alike[j, i]} - group
        groups.append(frozenset(group))
        left -= group
    return groups
