"""How much slower enrolling many people is than analysing their pictures.

The same people are analysed alone and enrolled in turns of a few seconds, in alternating order, so
that a machine that slows down slows down both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TypeVar

from facerec.errors import EvaluationError

__all__ = ["EnrolmentTimes", "measure_enrolment"]

T = TypeVar("T")


@dataclass(frozen=True)
class EnrolmentTimes:
    """What was measured.

    Attributes:
        people: People that were enrolled, and analysed alone.
        pictures: Their pictures.
        analysis_pictures_per_s: Rate of the analysis alone: read, decode, detect, assess, embed.
        enrolment_pictures_per_s: Rate of enrolling: the same, and hash, compare with everybody,
            store.
        ratio_to_analysis: The second over the first: median over turns.
        turns: How often the two took turns.
    """

    people: int
    pictures: int
    analysis_pictures_per_s: float
    enrolment_pictures_per_s: float
    ratio_to_analysis: float
    turns: int


def measure_enrolment(
    turns: Sequence[Sequence[T]],
    pictures_of: Callable[[T], int],
    analyse: Callable[[Sequence[T]], None],
    enrol: Callable[[Sequence[T]], None],
) -> EnrolmentTimes:
    """Analyse and enrol the people of each turn; the first turn warms up and is not counted.

    Args:
        turns: People, a turn each; at least two turns.
        pictures_of: Number of pictures of a person.
        analyse: Analyses people's pictures and keeps nothing.
        enrol: Enrols people.

    Raises:
        EvaluationError: there are fewer than two turns.
    """
    if len(turns) < 2:
        raise EvaluationError("enrolment is measured on two turns of people at least; give more")
    analysed: list[float] = []
    enrolled: list[float] = []
    for number, people in enumerate(turns):
        both = [(analyse, analysed), (enrol, enrolled)]
        for do, times in both if number % 2 else reversed(both):
            start = perf_counter()
            do(people)
            times.append(perf_counter() - start)
    counted = turns[1:]
    pictures = sum(pictures_of(person) for people in counted for person in people)
    ratios = [alone / whole for alone, whole in zip(analysed[1:], enrolled[1:], strict=True)]
    return EnrolmentTimes(
        people=sum(len(people) for people in counted),
        pictures=pictures,
        analysis_pictures_per_s=pictures / sum(analysed[1:]),
        enrolment_pictures_per_s=pictures / sum(enrolled[1:]),
        ratio_to_analysis=median(ratios),
        turns=len(counted),
    )
