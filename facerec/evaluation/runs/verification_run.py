"""A 1:1 evaluation from templates to page."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from facerec.decision.operating_point import OperatingPoint
from facerec.evaluation.metrics.bootstrap import rate_key
from facerec.evaluation.metrics.discarding import discard_curve
from facerec.evaluation.metrics.groups import disparity, group_rates
from facerec.evaluation.metrics.rates import least_claimable
from facerec.evaluation.pictures.face_table import QUALITY_NAMES, FaceTable
from facerec.evaluation.pictures.folder import PeoplePictures
from facerec.evaluation.pictures.pairs_file import LabelledPairs
from facerec.evaluation.protocols.verification import (
    PairsResult,
    VerificationResult,
    verify_all,
    verify_pairs,
)
from facerec.evaluation.report.attempts import Attempts, attempts_to_json
from facerec.evaluation.report.calibration_page import calibration_section, evidence_of
from facerec.evaluation.report.content import PicturePair, Report, Section
from facerec.evaluation.report.environment import present_environment
from facerec.evaluation.report.findings import comparison_findings
from facerec.evaluation.report.records import group_record, verification_record
from facerec.evaluation.report.subject import TestedSystem, failures_of, setting_sections
from facerec.evaluation.report.verification_page import (
    VERIFICATION_LIMITS,
    count_section,
    discard_section,
    group_section,
    pairs_section,
    rates_section,
    verification_summary,
    worst_section,
)
from facerec.evaluation.runs.run import EvaluationRun

__all__ = ["VerificationInput", "verification_run"]

GROUP_FMR = 1e-3
"""False match rate whose threshold groups and quality are judged at."""
COMPARED_RATES = (1e-3, 1e-4)
"""False match rates at which two runs are compared."""


@dataclass(frozen=True)
class VerificationInput:
    """What is evaluated.

    Attributes:
        system: What is tested.
        pictures: Of whom.
        table: A row a picture.
        pairs: Labelled pairs; None to compare every picture with every other only.
        groups: Group of each person, "" for none; None when no labels are given.
        group_factor: Warn when rates of groups differ by more than this factor.
        point: The operating point in use, to hold against what is measured; None for none.
    """

    system: TestedSystem
    pictures: PeoplePictures
    table: FaceTable
    pairs: LabelledPairs | None = None
    groups: tuple[str, ...] | None = None
    group_factor: float = 3.0
    point: OperatingPoint | None = None


def verification_run(
    given: VerificationInput,
    worst: Callable[[VerificationResult], tuple[PicturePair, ...]] | None = None,
) -> EvaluationRun:
    """Evaluate 1:1 comparison.

    Args:
        given: What is evaluated.
        worst: Makes the picture pairs of the worst errors; None to show none.

    Raises:
        EvaluationError: there is nothing to compare.
    """
    result = verify_all(given.table, given.pictures)
    pairs = None if given.pairs is None else verify_pairs(given.table, given.pairs)
    missing = () if given.pairs is None else given.pairs.missing
    failures = failures_of(given.table, len(missing))
    record = verification_record(result, pairs, failures)
    sections = [count_section(result, failures)]
    if pairs is not None:
        sections.append(pairs_section(pairs, missing))
    sections.append(rates_section(result))
    warnings = list(comparison_findings(result.comparisons))
    if given.groups is not None:
        threshold, fmr = _group_threshold(result)
        rates = group_rates(result.comparisons, given.groups, threshold)
        told = disparity(rates, given.group_factor)
        warnings += told
        record["groups"] = [group_record(rate) for rate in rates]
        sections.append(group_section(rates, fmr, told))
    sections += _quality_sections(result, given.table)
    if given.point is not None:
        quality = given.table.quality[:, 0].astype(np.float64)
        evidence = evidence_of(given.point, result, quality)
        record["expected_calibration_error"] = (
            None if evidence is None else evidence.expected_calibration_error
        )
        sections.append(calibration_section(given.point, result, evidence))
    if worst is not None:
        sections.append(worst_section(worst(result)))
    sections += setting_sections(given.system, present_environment(), VERIFICATION_LIMITS)
    record |= {"warnings": warnings, "system": vars(given.system)}
    report = Report(
        f"Verification: {given.system.embedder} on {given.system.data}",
        verification_summary(result, pairs),
        tuple(warnings),
        tuple(sections),
    )
    attempts = attempts_to_json("verification", _attempts(given, result, pairs))
    return EvaluationRun(record, report, attempts, tuple(warnings))


def _group_threshold(result: VerificationResult) -> tuple[float, float]:
    """Return the threshold of FMR 1e-3 and that rate, or the lowest that can be shown."""
    fmr = max(GROUP_FMR, least_claimable(result.comparisons.non_mated.total))
    return result.comparisons.non_mated.threshold_at(fmr), fmr


def _quality_sections(result: VerificationResult, table: FaceTable) -> list[Section]:
    """Return error-versus-discard curves, where there is any error to discard."""
    threshold, fmr = _group_threshold(result)
    mated = result.comparisons.mated
    if not (np.isfinite(mated.scores) & (mated.scores < threshold)).any():
        return []
    curves = tuple(
        (name, discard_curve(mated, table.quality[:, column].astype(np.float64), threshold))
        for column, name in enumerate(QUALITY_NAMES)
    )
    return [discard_section(curves, fmr)]


def _attempts(
    given: VerificationInput, result: VerificationResult, pairs: PairsResult | None
) -> tuple[Attempts, ...]:
    """List mated comparisons by whether they are accepted, and labelled pairs."""
    paths, names = given.pictures.paths, given.pictures.names
    mated = result.comparisons.mated
    labels = tuple(f"{paths[a]}|{paths[b]}" for a, b in mated.pairs)
    people = tuple(names[person] for person in mated.people)
    shown = [answer for answer in result.tar_at_far if not answer.bound]
    # Too few comparisons for the usual rates: the lowest one that they show.
    chosen = [answer for answer in shown if answer.at in COMPARED_RATES] or shown[-1:]
    listed = [
        Attempts(f"tar_at_far:{rate_key(a.at)}", labels, people, mated.scores >= a.threshold)
        for a in chosen
    ]
    if pairs is not None and given.pairs is not None:
        owners = tuple(first for first, _ in given.pairs.people)
        listed.append(Attempts("accuracy", given.pairs.names, owners, pairs.accuracy.correct))
    return tuple(listed)
