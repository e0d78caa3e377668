"""Making an operating point from faces of known people, and from strangers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.decision.operating_point import OperatingPoint, Provenance
from facerec.decision.rate_curve import RateCurve
from facerec.errors import EvaluationError
from facerec.evaluation.calibration.likelihood import fit_bands
from facerec.evaluation.calibration.non_mated_rates import (
    WeighedScores,
    measure_rates,
)
from facerec.evaluation.metrics.comparisons import Comparisons, compare_all
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
    pairs = faces.count * (faces.count - 1) // 2
    counted = comparisons.non_mated.total
    curves = (
        measure_rates(_weighed(comparisons, by_person=False)),
        measure_rates(_weighed(comparisons, by_person=True)),
    )
    return _point(faces, comparisons, curves, source, pairs, counted)


def calibrate_with_strangers(
    enrolled: KnownFaces, strangers: KnownFaces, source: CalibrationSource
) -> OperatingPoint:
    """Make an operating point from comparing strangers with the people of a gallery.

    Raises:
        EvaluationError: there are too few people or strangers.
    """
    scores = (strangers.embeddings @ enrolled.embeddings.T).astype(np.float32)
    order = np.argsort(-scores.ravel(), kind="stable")
    first = np.repeat(strangers.people, scores.shape[1])[order]
    second = (np.tile(enrolled.people, scores.shape[0]) + np.int32(strangers.count))[order]
    images = np.concatenate([np.bincount(strangers.people), np.bincount(enrolled.people)])
    curves = []
    for sizes in (images.astype(np.float64), np.ones(len(images))):
        # What a pair of people weighs is spread over its comparisons.
        weights = sizes[first] * sizes[second] / (images[first] * images[second])
        curves.append(
            measure_rates(
                WeighedScores(
                    scores.ravel()[order],
                    weights / weights.sum(),
                    first,
                    second,
                    len(images),
                    sizes,
                    strangers.count,
                )
            )
        )
    comparisons = compare_all(enrolled.embeddings, enrolled.people)
    pairs = strangers.count * enrolled.count
    return _point(enrolled, comparisons, (curves[0], curves[1]), source, pairs, scores.size)


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
    pairs_of_people: int,
    non_mated: int,
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
            comparisons=non_mated,
            pairs_of_people=pairs_of_people,
            smallest_claimable_fmr=least_claimable(pairs_of_people),
            detector=source.detector,
            embedder=source.embedder,
            mirrored_chip=source.mirrored_chip,
            date=source.date,
            remarks=source.remarks,
            kind=source.kind,
            mated=len(mated),
            weights=source.weights,
        ),
        source.name,
        curves[1],
        bands,
    )
