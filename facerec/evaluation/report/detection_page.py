"""The page of a detection evaluation."""

import numpy as np

from facerec.evaluation.metrics.bootstrap import Interval
from facerec.evaluation.metrics.detections import DetectionScores, recall_by_size
from facerec.evaluation.report.content import Section, Table
from facerec.evaluation.report.formatting import in_brackets, share
from facerec.evaluation.report.plots import precision_recall_plot

__all__ = ["DETECTION_LIMITS", "detection_sections", "detection_summary"]

DETECTION_LIMITS = (
    "Faces that nobody annotated count as false positives, and boxes are drawn differently by "
    "different annotators: a detection must overlap one by half (IoU .5) to count as right.",
)


def detection_summary(judged: DetectionScores, score: float) -> str:
    """Return the answer in a sentence."""
    return (
        f"Average precision at IoU .5 is {judged.ap50:.4f}; at the detection score {score:g} of "
        f"the settings {judged.recall_at(score):.4f} of faces are found, with "
        f"{judged.false_positives_per_image(score):.3f} false positives an image."
    )


def detection_sections(
    name: str, judged: DetectionScores, score: float, intervals: dict[str, Interval]
) -> tuple[Section, ...]:
    """Return counts, rates, recall by size and the precision-recall curve of one detector."""
    counts = (
        ("Images", f"{judged.images}, of which {judged.failed_images} could not be read"),
        ("Annotated faces", str(len(judged.face_scores))),
        ("Detections at any score", str(len(judged.scores))),
        ("Landmark error", _landmark_error(judged)),
    )
    return (
        Section("Counts and failures", tables=(Table("", ("", ""), counts),)),
        Section(
            "Detection",
            tables=(_rate_table(judged, score, intervals), _size_table(judged, score)),
            figures=(precision_recall_plot([(name, judged)]),),
        ),
    )


def _rate_table(judged: DetectionScores, score: float, intervals: dict[str, Interval]) -> Table:
    measured = (
        ("Average precision at IoU .5", "ap50", judged.ap50),
        (f"Recall at score {score:g}", "recall", judged.recall_at(score)),
        (
            "False positives an image",
            "false_positives_per_image",
            judged.false_positives_per_image(score),
        ),
    )
    return Table(
        "Rates with 95 % intervals over images.",
        ("Rate", "Measured", "95 % interval"),
        tuple(
            (word, share(value), in_brackets(intervals.get(key))) for word, key, value in measured
        ),
    )


def _size_table(judged: DetectionScores, score: float) -> Table:
    rows = tuple(
        (
            f"{band.least_px:g} to {band.below_px:g} px"
            if np.isfinite(band.below_px)
            else f"{band.least_px:g} px and more",
            str(band.faces),
            share(band.recall),
        )
        for band in recall_by_size(judged, score)
    )
    return Table(f"Recall at score {score:g} by face size.", ("Size", "Faces", "Recall"), rows)


def _landmark_error(judged: DetectionScores) -> str:
    if not len(judged.landmark_errors):
        return "no landmarks are annotated"
    mean = float(np.mean(judged.landmark_errors))
    return f"{mean:.4f} of the distance between the eyes, {len(judged.landmark_errors)} faces"
