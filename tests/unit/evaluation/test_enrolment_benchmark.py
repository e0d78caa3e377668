"""Taking turns between analysing and enrolling."""

import time

import pytest

from facerec.errors import EvaluationError
from facerec.evaluation.enrolment_benchmark import measure_enrolment


def test_the_two_take_turns_and_the_first_is_not_counted() -> None:
    did: list[tuple[str, tuple[int, ...]]] = []
    turns = [(5, 5), (1, 2), (3, 4), (6,)]
    times = measure_enrolment(
        turns,
        lambda pictures: pictures,
        lambda people: did.append(("analyse", tuple(people))),
        lambda people: did.append(("enrol", tuple(people))),
    )
    assert did == [
        *[("enrol", (5, 5)), ("analyse", (5, 5))],
        *[("analyse", (1, 2)), ("enrol", (1, 2))],
        *[("enrol", (3, 4)), ("analyse", (3, 4))],
        *[("analyse", (6,)), ("enrol", (6,))],
    ]
    assert (times.people, times.pictures, times.turns) == (5, 16, 3)


def test_the_ratio_is_that_of_the_rates() -> None:
    """Waiting takes as long on a busy machine, so the ratio holds there too."""
    times = measure_enrolment(
        [(1,)] * 6,
        lambda _: 1,
        lambda _: time.sleep(0.02),
        lambda _: time.sleep(0.08),
    )
    assert 0.1 < times.ratio_to_analysis < 0.6
    assert times.enrolment_pictures_per_s < times.analysis_pictures_per_s


def test_one_turn_measures_nothing() -> None:
    with pytest.raises(EvaluationError, match="two turns"):
        measure_enrolment([(1,)], lambda _: 1, lambda _: None, lambda _: None)
