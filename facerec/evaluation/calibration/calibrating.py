"""Making an operating point from faces of known people, and from strangers."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.decision.operating_point import OperatingPoint, Provenance
from facerec.decision.rate_curve import RateCurve
from facerec.errors import EvaluationError
from facerec.evaluation.calibration.likelihood import FEWEST_AT_ALL, fit_bands
from facerec.evaluation.calibration.non_mated_rates import (
    FEWEST_SCORES,
    WeighedScores,
    measure_rates,
)
from facerec.evaluation.metrics.comparisons import Comparisons, compare_all, highest_scores
from facerec.evaluation.metrics.rates import least_claimable

__all__ = ["CalibrationSource", "KnownFaces", "calibrate", "calibrate_with_strangers"]


@dataclass(frozen=True, eq=False)
class KnownFaces:
    """Templates of which it is known who is whose.

    Attributes:
        embeddings: float32 (n, d), unit length.
        people: int32 (n,), 0-based without gaps.
        quality: float32 (n,) overall quality.
    """

    embeddings: NDArray[np.float32]
    people: NDArray[np.int32]
    quality: NDArray[np.float32]

    @property
    def count(self) -> int:
        """Number of people."""
        return int(self.people.max()) + 1 if len(self.people) else 0


@dataclass(frozen=True)
class CalibrationSource:
    """Where the templates come from, for the provenance.

    Attributes:
        name: Name of the operating point that is made.
        kind: As `Provenance.kind`.
        data: The pictures, in words.
        embedding_space: Space of the embeddings.
        detector: Name of the detector.
        embedder: Name of the embedder.
        weights: Short hash of the embedder's weights.
        mirrored_chip: Whether the mirrored chip was embedded too.
        date: Day, ISO 8601.
        remarks: What to know before relying on it.
    """

    name: str
    kind: str
    data: str
    embedding_space: str
    detector: str
    embedder: str
    weights: str
    mirrored_chip: bool
    date: str
    remarks: str


@dataclass(frozen=True)
class Compared:
    """How many comparisons of different people were made.

    Attributes:
        comparisons: Of two pictures.
        pairs_of_people: Pairs of people among them.
        alike: As `Provenance.alike`.
    """

    comparisons: int
    pairs_of_people: int
    alike: int


def calibrate(faces: KnownFaces, source: CalibrationSource) -> OperatingPoint:
    """Make an operating point from comparing known people with each other.

    Every pair of people weighs the same, however many pictures there are of them: a stranger at a
    gate is one more person, not one more picture.

    Raises:
        EvaluationError: there are too few people; the message says how many are needed.
    """
    comparisons = compare_all(faces.embeddings, faces.people)
    if not comparisons.non_mated.total:
        raise EvaluationError(
            f"there are templates of {faces.count} person(s); at least two people must be "
            "compared, and about 15 for any rate to be known"
        )
    curves = (
        measure_rates(_weighed(comparisons, by_person=False)),
        measure_rates(_weighed(comparisons, by_person=True)),
    )
    other = comparisons.non_mated
    seen = Compared(
        other.total,
        faces.count * (faces.count - 1) // 2,
        _alike(other.tail, comparisons.people[other.tail_pairs], comparisons),
    )
    return _point(faces, comparisons, curves, source, seen)


def calibrate_with_strangers(
    enrolled: KnownFaces, strangers: KnownFaces, source: CalibrationSource
) -> OperatingPoint:
    """Make an operating point from comparing strangers with the people of a gallery.

    Raises:
        EvaluationError: there are too few people or strangers.
    """
    made = len(strangers.people) * len(enrolled.people)
    if made < FEWEST_SCORES:
        raise EvaluationError(
            f"there are {len(strangers.people)} faces of strangers and {len(enrolled.people)} "
            f"templates of people enrolled, so {made} comparisons; at least {FEWEST_SCORES} are "
            f"needed, such as those of {math.ceil(FEWEST_SCORES / len(enrolled.people))} strangers"
        )
    scores, rows = highest_scores(strangers.embeddings, enrolled.embeddings)
    first = strangers.people[rows[:, 0]]
    second = enrolled.people[rows[:, 1]] + np.int32(strangers.count)
    images = np.concatenate([np.bincount(strangers.people), np.bincount(enrolled.people)])
    curves = []
    for sizes in (images.astype(np.float64), np.ones(len(images))):
        # What a pair of people weighs is spread over its comparisons.
        total = sizes[: strangers.count].sum() * sizes[strangers.count :].sum()
        weights = sizes[first] * sizes[second] / (images[first] * images[second]) / total
        curves.append(
            measure_rates(
                WeighedScores(scores, weights, first, second, len(images), sizes, strangers.count)
            )
        )
    comparisons = compare_all(enrolled.embeddings, enrolled.people)
    seen = Compared(
        made,
        strangers.count * enrolled.count,
        _alike(scores, np.stack([first, second], axis=1), comparisons),
    )
    return _point(enrolled, comparisons, (curves[0], curves[1]), source, seen)


def _alike(scores: NDArray[np.float32], people: NDArray[np.int32], comparisons: Comparisons) -> int:
    """Count pairs of different people who look as alike as half of the mated comparisons.

    Args:
        scores: float32 (n,), descending, of different people.
        people: int32 (n, 2) whose they are.
        comparisons: Hold the mated ones.
    """
    if len(comparisons.mated) < FEWEST_AT_ALL:
        return 0
    count = int((scores >= np.median(comparisons.mated.scores)).sum())
    return len(np.unique(np.sort(people[:count], axis=1), axis=0))


def _weighed(comparisons: Comparisons, *, by_person: bool) -> WeighedScores:
    """Give every comparison the same weight, or every pair of people."""
    scores, pairs = comparisons.non_mated.tail, comparisons.non_mated.tail_pairs
    people = comparisons.people[pairs]
    images = np.bincount(comparisons.people[comparisons.acquired]).astype(np.float64)
    sizes = (images > 0).astype(np.float64) if by_person else images
    total = (sizes.sum() ** 2 - (sizes**2).sum()) / 2
    a, b = people[:, 0], people[:, 1]
    weights = sizes[a] * sizes[b] / (images[a] * images[b]) / total
    return WeighedScores(scores, weights, a, b, len(images), sizes)


def _point(
    faces: KnownFaces,
    comparisons: Comparisons,
    curves: tuple[RateCurve, RateCurve],
    source: CalibrationSource,
    seen: Compared,
) -> OperatingPoint:
    quality = faces.quality.astype(np.float64)
    mated, other = comparisons.mated, comparisons.non_mated
    bands = fit_bands(
        mated.scores,
        quality[mated.pairs].min(axis=1) if len(mated) else np.zeros(0),
        other.sample,
        quality[other.sample_pairs].min(axis=1) if len(other.sample) else np.zeros(0),
    )
    return OperatingPoint(
        source.embedding_space,
        curves[0],
        Provenance(
            data=source.data,
            people=faces.count,
            images=len(faces.people),
            comparisons=seen.comparisons,
            pairs_of_people=seen.pairs_of_people,
            smallest_claimable_fmr=least_claimable(seen.pairs_of_people),
            detector=source.detector,
            embedder=source.embedder,
            mirrored_chip=source.mirrored_chip,
            date=source.date,
            remarks=source.remarks,
            kind=source.kind,
            mated=len(mated),
            weights=source.weights,
            alike=seen.alike,
        ),
        source.name,
        curves[1],
        bands,
    )
