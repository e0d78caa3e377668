"""An open-set 1:N evaluation from templates to page."""

from dataclasses import dataclass

import numpy as np

from facerec.decision.operating_point import OperatingPoint
from facerec.errors import OperatingPointError
from facerec.evaluation.metrics.groups import disparity, search_group_rates
from facerec.evaluation.metrics.open_set import ReferenceGallery, fpir_threshold
from facerec.evaluation.metrics.rates import least_claimable
from facerec.evaluation.pictures.face_table import FaceTable
from facerec.evaluation.pictures.folder import PeoplePictures
from facerec.evaluation.protocols.identification import IdentificationResult, identify_open_set
from facerec.evaluation.report.attempts import Attempts, attempts_to_json
from facerec.evaluation.report.calibration_page import check_growth, growth_section
from facerec.evaluation.report.content import Report, Section
from facerec.evaluation.report.environment import present_environment
from facerec.evaluation.report.findings import search_findings
from facerec.evaluation.report.identification_page import (
    IDENTIFICATION_LIMITS,
    gallery_section,
    identification_summary,
    search_group_section,
)
from facerec.evaluation.report.records import group_record, identification_record
from facerec.evaluation.report.subject import TestedSystem, failures_of, setting_sections
from facerec.evaluation.runs.run import EvaluationRun
from facerec.gallery.index.person_score import SHIPPED, PersonScore

__all__ = ["IdentificationInput", "identification_run", "references_possible"]

COMPARED_FPIR = 0.01
"""False-positive identification rate at which two runs are compared, and groups are judged."""


@dataclass(frozen=True)
class IdentificationInput:
    """What is evaluated.

    Attributes:
        system: What is tested.
        pictures: Of whom.
        table: A row a picture.
        references: Numbers of references a person to report; the first gives the headline.
        point: The operating point in use, to hold against what is measured; None for none.
        score: How a person is scored by several references.
        groups: Group of each person, "" for none; None when no labels are given.
        group_factor: Warn when rates of groups differ by more than this factor.
    """

    system: TestedSystem
    pictures: PeoplePictures
    table: FaceTable
    references: tuple[int, ...] = (1, 2)
    point: OperatingPoint | None = None
    score: PersonScore = SHIPPED
    groups: tuple[str, ...] | None = None
    group_factor: float = 3.0


def references_possible(pictures: PeoplePictures, wanted: tuple[int, ...]) -> tuple[int, ...]:
    """Return those numbers of references of which somebody has one picture more, the first kept."""
    most = int(np.bincount(pictures.people).max())
    return (wanted[0], *(count for count in wanted[1:] if count < most))


def identification_run(given: IdentificationInput) -> EvaluationRun:
    """Evaluate open-set identification.

    Args:
        given: What is evaluated.

    Raises:
        EvaluationError: there are no probes, no strangers, or no reference with a face.
    """
    results = tuple(
        identify_open_set(given.table, given.pictures, count, given.score)
        for count in references_possible(given.pictures, given.references)
    )
    failures = failures_of(given.table)
    warnings = search_findings(results[0].scores)
    record = identification_record(results, failures)
    by_group: tuple[Section, ...] = ()
    if given.groups is not None:
        threshold, fpir = _group_threshold(results[0])
        rates = search_group_rates(results[0].scores, given.groups, threshold)
        told = disparity(rates, given.group_factor)
        warnings += told
        record["groups"] = [group_record(rate) for rate in rates]
        by_group = (search_group_section(rates, fpir, told),)
    record |= {"warnings": list(warnings), "system": vars(given.system)}
    growth = tuple(section for result in results for section in _growth(given, result))
    report = Report(
        f"Identification: {given.system.embedder} on {given.system.data}",
        identification_summary(results),
        warnings,
        (
            *(gallery_section(result) for result in results),
            *by_group,
            *growth,
            *setting_sections(given.system, present_environment(), IDENTIFICATION_LIMITS),
        ),
    )
    attempts = tuple(entry for result in results for entry in _attempts(given.pictures, result))
    return EvaluationRun(record, report, attempts_to_json("identification", attempts), warnings)


def _group_threshold(result: IdentificationResult) -> tuple[float, float]:
    """Return the threshold of FPIR 1 % and that rate, or the lowest that can be shown."""
    strangers = result.scores.stranger
    fpir = min(max(COMPARED_FPIR, least_claimable(len(strangers))), 1.0)
    return fpir_threshold(strangers, fpir), fpir


def _growth(given: IdentificationInput, result: IdentificationResult) -> tuple[Section, ...]:
    """Return how FPIR grows with the gallery; nothing where no operating point is in use."""
    if given.point is None:
        return ()
    acquired = given.table.acquired
    references, strangers = (
        rows[acquired[rows]] for rows in (result.split.references, result.split.strangers)
    )
    references = references[np.argsort(given.pictures.people[references], kind="stable")]
    starts = np.unique(given.pictures.people[references], return_index=True)[1]
    embeddings = given.table.embeddings
    gallery = ReferenceGallery(embeddings[references], starts, given.score)
    best = gallery.scores(embeddings[strangers])
    each = result.references_each
    try:
        return (growth_section(check_growth(given.point, best, each), each),)
    except OperatingPointError as error:
        refused = (f"The operating point in use refuses: {error}.",)
        return (Section(f"Gallery size, {each} reference(s) a person", refused),)


def _attempts(pictures: PeoplePictures, result: IdentificationResult) -> tuple[Attempts, ...]:
    threshold = next(a.threshold for a in result.fnir_at_fpir if a.at == COMPARED_FPIR)
    rows = result.split.probes
    right = (result.scores.own >= threshold) & (result.scores.rank == 1)
    name = f"tpir_at_fpir:{COMPARED_FPIR:g}, {result.references_each} reference(s)"
    return (
        Attempts(
            name,
            tuple(pictures.paths[row] for row in rows),
            tuple(pictures.names[pictures.people[row]] for row in rows),
            right,
        ),
    )
