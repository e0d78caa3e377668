"""The rules of enrolment, against cases done by hand and properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facerec.decision.enrolment_rules import (
    EnrolmentRules,
    OwnPictures,
    Thresholds,
    agreement,
    doubles,
    look_alikes,
    own_similarity,
    thresholds,
)
from facerec.decision.factory_operating_point import factory_operating_points
from facerec.errors import OperatingPointError

POINTS = factory_operating_points()
RULES = EnrolmentRules(
    duplicate_fpir=1e-3, look_alike_fpir=1e-2, own_pictures_fmr=1e-3, min_margin=0.05
)
LIMITS = Thresholds(same_person=0.6, look_alike=0.5, own_pictures=0.4)


def alike(n: int, *pairs: tuple[int, int], similarity: float = 0.7) -> NDArray[np.float32]:
    """Return the similarities of n pictures of which only these pairs are alike."""
    matrix = np.full((n, n), 0.1, np.float32)
    np.fill_diagonal(matrix, 1.0)
    for i, j in pairs:
        matrix[i, j] = matrix[j, i] = similarity
    return matrix


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.embedding_space)
@pytest.mark.parametrize(("people", "pictures"), [(1, 1), (344, 1), (344, 5), (5000, 3)])
def test_thresholds_hold_the_rates_over_all_chances(point, people, pictures) -> None:  # type: ignore[no-untyped-def]
    limits = thresholds(point, RULES, templates=people, pictures=pictures)
    chances = people * pictures
    for threshold, rate in [(limits.same_person, 1e-3), (limits.look_alike, 1e-2)]:
        each = -math.expm1(math.log1p(-rate) / chances)
        if each > point.lowest_fmr:
            assert point.fpir_at(threshold, chances) == pytest.approx(rate, rel=1e-6)
        else:
            assert point.fpir_at(threshold, 1) == pytest.approx(point.lowest_fmr, rel=1e-6)
    assert point.fmr_at(limits.own_pictures) == pytest.approx(1e-3, rel=1e-6)
    assert limits.same_person >= limits.look_alike


def test_thresholds_rise_with_the_gallery_until_nothing_rarer_is_known() -> None:
    point = POINTS[0]
    rising = [
        thresholds(point, RULES, templates=people, pictures=1).same_person
        for people in (0, 1, 10, 1000, 10**6, 10**9)
    ]
    assert rising[0] == rising[1] < rising[2] < rising[3] < rising[4] == rising[5]


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, 2.0])
def test_rates_that_are_none_are_refused(rate: float) -> None:
    rules = EnrolmentRules(rate, 1e-2, 1e-3, 0.05)
    with pytest.raises(OperatingPointError, match="between 0 and 1"):
        thresholds(POINTS[0], rules, templates=10, pictures=1)


@pytest.mark.parametrize(
    ("matrix", "enrolled", "expected"),
    [
        (alike(1), 0, OwnPictures()),
        (alike(2, (0, 1)), 0, OwnPictures()),
        (alike(2), 0, OwnPictures(agree=False)),
        (alike(3, (0, 1), (1, 2)), 0, OwnPictures()),  # 0 and 2 through 1
        (alike(3, (0, 2)), 0, OwnPictures((1,))),
        (alike(4, (0, 1), (2, 3)), 0, OwnPictures(agree=False)),
        (alike(5, (0, 1), (2, 3), (3, 4)), 0, OwnPictures((0, 1))),
        # One enrolled template against two new pictures of somebody else: the enrolled one stands.
        (alike(3, (1, 2)), 1, OwnPictures((0, 1))),
        (alike(3, (0, 2)), 1, OwnPictures((0,))),
        # What is enrolled already is never called an outlier.
        (alike(4, (0, 1), (1, 3)), 3, OwnPictures()),
    ],
)
def test_pictures_of_somebody_else_are_named(
    matrix: NDArray[np.float32], enrolled: int, expected: OwnPictures
) -> None:
    assert agreement(matrix, 0.4, enrolled=enrolled) == expected


@given(st.integers(1, 12), st.randoms(use_true_random=False))
def test_pictures_of_two_people_are_split_whatever_their_order(n: int, random) -> None:  # type: ignore[no-untyped-def]
    """n pictures of one person and fewer of another, shuffled: just those are outliers."""
    others = random.randrange(n)
    owner = [0] * n + [1] * others
    random.shuffle(owner)
    same = np.equal.outer(owner, owner)
    found = agreement(np.where(same, 0.6, 0.2).astype(np.float32), 0.4)
    assert found == OwnPictures(tuple(i for i, who in enumerate(owner) if who))


def test_doubles_and_look_alikes() -> None:
    others = {"a": 0.55, "b": 0.61, "c": 0.7, "d": 0.49, "e": 0.6}
    assert [(d.profile_id, d.threshold) for d in doubles(others, LIMITS)] == [
        ("c", 0.6),
        ("b", 0.6),
        ("e", 0.6),
    ]
    assert [x.profile_id for x in look_alikes(others, LIMITS, None, 0.05)] == ["a"]
    # The person's own pictures are no closer to each other than .04 to d: a camera is undecided.
    close = look_alikes(others, LIMITS, 0.53, 0.05)
    assert [x.profile_id for x in close] == ["a", "d"]
    assert close[1].threshold == pytest.approx(0.48)
    # Own pictures that would not be named themselves confuse nobody.
    assert [x.profile_id for x in look_alikes(others, LIMITS, 0.45, 0.05)] == ["a"]
    # Alike own pictures take nothing back.
    assert [x.profile_id for x in look_alikes(others, LIMITS, 0.9, 0.05)] == ["a"]


def test_own_similarity_is_the_median_of_the_best() -> None:
    assert own_similarity(alike(1)) is None
    assert own_similarity(alike(2, (0, 1), similarity=0.8)) == pytest.approx(0.8)
    matrix = alike(3, (0, 1), similarity=0.8)
    assert own_similarity(matrix) == pytest.approx(0.8)
    assert own_similarity(alike(3)) == pytest.approx(0.1)
