"""Open-set 1:N protocol: some people are enrolled, others are strangers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.errors import EvaluationError
from facerec.evaluation.metrics.bootstrap import (
    DRAWS,
    Interval,
    interval_of,
    person_weights,
    uncertain,
)
from facerec.evaluation.metrics.open_set import (
    IDENTIFICATION_RATES,
    SearchScores,
    cumulative_match,
    fnir_at_fpir,
    search_all,
)
from facerec.evaluation.metrics.rates import RateAtRate, least_claimable
from facerec.evaluation.pictures.face_table import FaceTable
from facerec.evaluation.pictures.folder import PeoplePictures
from facerec.gallery.index.person_score import SHIPPED, PersonScore

__all__ = [
    "RANDOM_DRAWS",
    "IdentificationResult",
    "OpenSetSplit",
    "identify_open_set",
    "split_open_set",
]

RANDOM_DRAWS = 9
"""Random choices of references, beside the first pictures of each person."""


@dataclass(frozen=True, eq=False)
class OpenSetSplit:
    """Which pictures are enrolled and which are searched for; rows of the pictures.

    Attributes:
        references: intp (r,) enrolled.
        probes: intp (m,) further pictures of the enrolled people.
        strangers: intp (s,) pictures of people of whom there is only one.
    """

    references: NDArray[np.intp]
    probes: NDArray[np.intp]
    strangers: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class IdentificationResult:
    """What searching a gallery with `references_each` pictures a person gave.

    Attributes:
        references_each: Pictures enrolled of each person.
        split: Of the headline figures: the first pictures of each person are the references.
        scores: Of that split.
        fnir_at_fpir: FNIR(N, 1, T) with T set by the strangers of the same split.
        intervals: By ``"fnir_at_fpir:RATE"`` and ``"rank1"``, 95 %, over people.
        cumulative: float64 (ranks,) share of probes whose person is within rank 1, 2, ...
        draws: FNIR at each rate in each random choice of references: float64 (draws, rates).
        failed_enrolments: People none of whose references gave a template (FTE).
        people: Number of people to be enrolled.
    """

    references_each: int
    split: OpenSetSplit
    scores: SearchScores
    fnir_at_fpir: tuple[RateAtRate, ...]
    intervals: dict[str, Interval]
    cumulative: NDArray[np.float64]
    draws: NDArray[np.float64]
    failed_enrolments: int
    people: int


def split_open_set(
    people: NDArray[np.int32], references_each: int, *, seed: int | None = None
) -> OpenSetSplit:
    """Enrol the first pictures of each person with more; people with one picture are strangers.

    Args:
        people: int32 (n,) person of each picture, pictures in order of their names.
        references_each: Pictures to enrol of each person; people with no more than these, but
            with more than one, take no part.
        seed: Enrol pictures drawn at random instead of the first ones.

    Raises:
        EvaluationError: nobody has a picture more than these, or nobody has only one.
    """
    order = np.arange(len(people))
    if seed is not None:
        order = np.random.default_rng(seed).permutation(len(people))
    order = order[np.argsort(people[order], kind="stable")]
    counts = np.bincount(people)
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    size = counts[people[order]]
    enrolled = size > references_each
    split = OpenSetSplit(
        order[enrolled & (place < references_each) & (size > 1)],
        order[enrolled & (place >= references_each) & (size > 1)],
        order[size == 1],
    )
    if not len(split.probes):
        raise EvaluationError(
            f"nobody has more than {references_each} picture(s), so none is left to search for"
        )
    if not len(split.strangers):
        raise EvaluationError(
            "nobody has exactly one picture, so there are no strangers to measure FPIR with: add "
            "people with a single picture each"
        )
    return split


def identify_open_set(
    table: FaceTable,
    pictures: PeoplePictures,
    references_each: int = 1,
    score: PersonScore = SHIPPED,
) -> IdentificationResult:
    """Measure open-set identification.

    Args:
        table: A row a picture.
        pictures: Of whom.
        references_each: References a person.
        score: How a person is scored by them.

    Raises:
        EvaluationError: there are no probes, no strangers, or no reference with a face.
    """
    split = split_open_set(pictures.people, references_each)
    scores = _search(table, pictures, split, score)
    draws = np.array(
        [
            [answer.rate for answer in fnir_at_fpir(_search(table, pictures, again, score))]
            for again in (
                split_open_set(pictures.people, references_each, seed=seed)
                for seed in range(RANDOM_DRAWS)
            )
        ]
    )
    people = len(np.unique(pictures.people[split.references]))
    return IdentificationResult(
        references_each,
        split,
        scores,
        fnir_at_fpir(scores),
        _intervals(scores, len(pictures.names)),
        cumulative_match(scores),
        draws,
        people - scores.searched,
        people,
    )


def _search(
    table: FaceTable, pictures: PeoplePictures, split: OpenSetSplit, score: PersonScore
) -> SearchScores:
    if not table.acquired[split.references].any():
        raise EvaluationError("no face was found on any reference, so nobody can be enrolled")
    return search_all(
        table.embeddings,
        pictures.people,
        table.acquired,
        split.references,
        split.probes,
        split.strangers,
        score,
    )


def _intervals(scores: SearchScores, people: int, draws: int = DRAWS) -> dict[str, Interval]:
    """Draw people, the threshold set anew from the strangers of each draw; the gallery stays."""
    rates = [r for r in IDENTIFICATION_RATES if r >= least_claimable(len(scores.stranger))]
    order = np.argsort(-scores.stranger, kind="stable")
    strangers = scores.stranger[order]
    first = scores.rank == 1
    table = []
    for weights in person_weights(people, draws):
        own, other = weights[scores.own_people], weights[scores.stranger_people[order]]
        if not own.sum() or not other.sum():
            continue
        above = np.cumsum(other)
        row = [float(own @ first / own.sum())]
        for rate in rates:
            last = int(np.searchsorted(above, rate * above[-1] * (1 + 1e-12), side="right"))
            named = first & (scores.own > strangers[min(last, len(strangers) - 1)])
            row.append(1.0 - float(own @ named / own.sum()))
        table.append(row)
    columns = np.array(table).reshape(-1, len(rates) + 1)
    if not len(columns):
        return {}
    names = ["rank1", *(f"fnir_at_fpir:{rate:g}" for rate in rates)]
    owners = len(np.unique(scores.own_people))
    # A rate that is 0 or 1 in the sample is so in (nearly) all draws.
    return {
        name: uncertain(interval_of(column), float(np.median(column)), owners)
        for name, column in zip(names, columns.T, strict=True)
    }
