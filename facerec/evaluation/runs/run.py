"""What an evaluation hands back."""

from dataclasses import dataclass
from typing import Any

from facerec.evaluation.report.content import Report

__all__ = ["EvaluationRun"]


@dataclass(frozen=True)
class EvaluationRun:
    """One evaluation.

    Attributes:
        record: The figures, as JSON.
        report: The page.
        attempts: Which attempt was judged rightly, as JSON.
        warnings: What to tell the user at once.
    """

    record: dict[str, Any]
    report: Report
    attempts: dict[str, Any]
    warnings: tuple[str, ...]
