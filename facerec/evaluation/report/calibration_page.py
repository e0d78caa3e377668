"""The parts of a page that hold an operating point against what was measured."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.decision.operating_point import OperatingPoint
from facerec.errors import OperatingPointError
from facerec.evaluation.calibration.foretelling import SearchTest, foretold_fmr, foretold_fpir
from facerec.evaluation.calibration.gallery_growth import expected_fpir
from facerec.evaluation.metrics.bootstrap import Interval, rate_key
from facerec.evaluation.metrics.reliability import Reliability, reliability
from facerec.evaluation.protocols.verification import VerificationResult
from facerec.evaluation.report.content import Section, Table
from facerec.evaluation.report.formatting import in_brackets, share
from facerec.evaluation.report.plots import gallery_size_plot, reliability_plot

__all__ = ["GrowthCheck", "calibration_section", "check_growth", "evidence_of", "growth_section"]

FPIR = 0.01
"""Rate whose threshold is followed over gallery sizes."""
TWO_INTERVALS = (
    "The interval of the rate says where the rate lies among all people like those that were "
    "calibrated on. A test sees a sample of people, so what it measures strays further: the second "
    "interval holds what 95 % of tests of this size show where the first one is right."
)


def evidence_of(
    point: OperatingPoint, result: VerificationResult, quality: NDArray[np.float64]
) -> Reliability | None:
    """Hold the evidence that an operating point states against the truth.

    Args:
        point: The operating point.
        result: Scores of known people.
        quality: float64 (images,) overall quality of each image.

    Returns:
        None when the operating point states no evidence.
    """
    mated, other = result.comparisons.mated, result.comparisons.non_mated
    made = np.isfinite(mated.scores)
    scores = np.concatenate([mated.scores[made], other.sample]).astype(np.float64)
    pairs = np.concatenate([mated.pairs[made], other.sample_pairs])
    worse = quality[pairs].min(axis=1)
    if not point.bands or not made.any():
        return None
    least = np.array([band.least_quality for band in point.bands])
    slope, offset = (
        np.array([getattr(band, name) for band in point.bands]) for name in ("slope", "offset")
    )
    row = np.clip(np.searchsorted(least, worse, side="right") - 1, 0, None)
    ratios = slope[row] * scores + offset[row]
    return reliability(ratios, np.arange(len(scores)) < int(made.sum()))


def calibration_section(
    point: OperatingPoint, result: VerificationResult, evidence: Reliability | None
) -> Section:
    """Return what the operating point in use promises, and what was measured here."""
    origin = point.provenance
    figures = () if evidence is None else (reliability_plot(evidence),)
    return Section(
        "Operating point in use",
        (
            f"{point.name}: measured on {origin.data} ({origin.people} people, "
            f"{origin.comparisons} comparisons of different people, {origin.date}). Where this "
            "test holds the same pictures, agreement proves nothing.",
            TWO_INTERVALS,
        ),
        (
            Table(
                "False match rate that the operating point states, and what it was here.",
                (
                    *("Stated FMR", "Threshold", "95 % interval of the rate"),
                    *("95 % interval of a test like this", "Measured FMR", ""),
                ),
                _stated_rates(point, result),
            ),
        ),
        figures,
    )


def _stated_rates(point: OperatingPoint, result: VerificationResult) -> tuple[tuple[str, ...], ...]:
    """Return a row for each false match rate that these comparisons can show."""
    rows = []
    for answer in result.tar_at_far:
        if answer.bound:
            continue
        try:
            threshold = point.threshold_at_fmr(answer.at)
        except OperatingPointError as error:
            rows.append((rate_key(answer.at), "refused", "", "", "", str(error)))
            continue
        measured = result.comparisons.non_mated.fmr_at(threshold)
        foretold = foretold_fmr(point, threshold, result.comparisons.people_count)
        rows.append(
            (
                rate_key(answer.at),
                f"{threshold:.4f}",
                in_brackets(Interval(*point.fmr_interval_at(threshold))),
                in_brackets(foretold),
                share(measured),
                _verdict(foretold, measured),
            )
        )
    return tuple(rows)


@dataclass(frozen=True, eq=False)
class GrowthCheck:
    """FPIR over gallery sizes, each at the threshold that an operating point gives for that size.

    Attributes:
        sizes: int64 (s,) people in the gallery.
        thresholds: float64 (s,) threshold for FPIR 1 % at each size.
        stated: 95 % interval of the rate at each size, as the operating point states it.
        foretold: What 95 % of tests with as many strangers and people show at each size.
        measured: float64 (s,) mean over all galleries of that size drawn from the people.
        fixed: float64 (s,) measured FPIR at the threshold of the largest size.
        fixed_stated: float64 (s,) what the operating point states for that threshold.
        strangers: Number of strangers.
    """

    sizes: NDArray[np.int64]
    thresholds: NDArray[np.float64]
    stated: tuple[Interval, ...]
    foretold: tuple[Interval, ...]
    measured: NDArray[np.float64]
    fixed: NDArray[np.float64]
    fixed_stated: NDArray[np.float64]
    strangers: int


def check_growth(
    point: OperatingPoint, best: NDArray[np.float32], references_each: int = 1
) -> GrowthCheck:
    """Hold the stated FPIR against galleries of several sizes.

    Args:
        point: The operating point.
        best: float32 (strangers, people) best score of each stranger with each enrolled person.
        references_each: References of each person.

    Raises:
        OperatingPointError: the operating point refuses such galleries.
    """
    people = best.shape[1]
    sizes = np.unique(np.geomspace(min(10, people), people, 6).astype(np.int64))
    compared = sizes * references_each
    thresholds = np.array(
        [
            point.threshold_at_fpir(FPIR, int(n), int(t))
            for n, t in zip(sizes, compared, strict=True)
        ]
    )
    asked = [(float(t), int(count)) for t, count in zip(thresholds, compared, strict=True)]
    measured = expected_fpir(best, thresholds, sizes)
    stated = [point.fpir_at(float(thresholds[-1]), int(count)) for count in compared]
    return GrowthCheck(
        sizes,
        thresholds,
        tuple(Interval(*point.fpir_interval_at(*each)) for each in asked),
        tuple(
            foretold_fpir(point, *each, SearchTest(len(best), int(size), people))
            for each, size in zip(asked, sizes, strict=True)
        ),
        np.diag(measured).copy(),
        measured[-1],
        np.array(stated),
        len(best),
    )


def growth_section(check: GrowthCheck, references_each: int = 1) -> Section:
    """Return how FPIR grows with the gallery, stated and measured."""
    figure = gallery_size_plot(
        f"gallery_size_{references_each}",
        check.sizes,
        [
            (f"threshold {check.thresholds[-1]:.3f}, fixed", check.fixed),
            ("threshold for FPIR 1 % at each size", check.measured),
        ],
        [("", check.fixed_stated), ("", np.full(len(check.sizes), FPIR))],
    )
    return Section(
        f"Gallery size, {references_each} reference(s) a person",
        (
            f"At each size the threshold is the operating point's for FPIR 1 %. {check.strangers} "
            "strangers, one visit each; the measured rate is the mean over all galleries of that "
            "size. BELOW means that fewer strangers are named than was to be expected, ABOVE that "
            "more are. A threshold takes every template for a chance to be mistaken, so with "
            "several references a person it errs below.",
            TWO_INTERVALS,
        ),
        tables=(
            Table(
                "FPIR 1 % as the operating point in use sets it at each gallery size.",
                (
                    *("People", "Threshold", "95 % interval of the rate"),
                    *("95 % interval of a test like this", "Measured FPIR", ""),
                ),
                _rates_by_size(check),
            ),
        ),
        figures=(figure,),
    )


def _rates_by_size(check: GrowthCheck) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            str(size),
            f"{threshold:.4f}",
            in_brackets(stated),
            in_brackets(foretold),
            share(measured),
            _verdict(foretold, measured),
        )
        for size, threshold, stated, foretold, measured in zip(
            check.sizes,
            check.thresholds,
            check.stated,
            check.foretold,
            check.measured,
            strict=True,
        )
    )


def _verdict(foretold: Interval, measured: float) -> str:
    """Say whether a measured rate is one that the operating point lets a test show."""
    if foretold.holds(measured):
        return "inside"
    return "BELOW" if measured < foretold.low else "ABOVE"
