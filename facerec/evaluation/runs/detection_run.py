"""A detection evaluation from detections to page."""

from facerec.evaluation.metrics.detection_intervals import detection_intervals
from facerec.evaluation.metrics.detections import DetectionScores
from facerec.evaluation.report.attempts import Attempts, attempts_to_json
from facerec.evaluation.report.content import Report
from facerec.evaluation.report.detection_page import (
    DETECTION_LIMITS,
    detection_sections,
    detection_summary,
)
from facerec.evaluation.report.environment import present_environment
from facerec.evaluation.report.records import detection_record
from facerec.evaluation.report.subject import TestedSystem, setting_sections
from facerec.evaluation.runs.run import EvaluationRun

__all__ = ["detection_run"]


def detection_run(
    system: TestedSystem, judged: DetectionScores, faces: tuple[str, ...], score: float
) -> EvaluationRun:
    """Evaluate a detector.

    Args:
        system: What is tested.
        judged: Its detections, judged.
        faces: Image of each annotated face, in the order of `judged`.
        score: Detection score at which recall and false positives are stated.
    """
    intervals = detection_intervals(judged, score)
    record = detection_record(judged, score, intervals)
    warnings = _warnings(judged)
    record |= {"warnings": list(warnings), "system": vars(system)}
    report = Report(
        f"Detection: {system.detector} on {system.data}",
        detection_summary(judged, score),
        warnings,
        (
            *detection_sections(system.detector, judged, score, intervals),
            *setting_sections(system, present_environment(), DETECTION_LIMITS),
        ),
    )
    names = tuple(f"{image} face {number}" for number, image in enumerate(faces))
    found = Attempts(f"recall:{score:g}", names, faces, judged.face_scores >= score)
    return EvaluationRun(record, report, attempts_to_json("detection", (found,)), warnings)


def _warnings(judged: DetectionScores) -> tuple[str, ...]:
    if not judged.failed_images:
        return ()
    return (
        f"{judged.failed_images} of {judged.images} images are missing or cannot be read; their "
        "faces count as missed",
    )
