"""Writing a report's folder."""

import json
import os
from pathlib import Path
from typing import Any

from facerec.errors import EvaluationError
from facerec.evaluation.report.content import Report
from facerec.evaluation.report.page import report_page

__all__ = ["ATTEMPTS_FILE", "PAGE_FILE", "RESULT_FILE", "write_report"]

PAGE_FILE = "index.html"
RESULT_FILE = "result.json"
ATTEMPTS_FILE = "attempts.json"


def write_report(
    folder: Path, report: Report, result: dict[str, Any], attempts: dict[str, Any]
) -> None:
    """Write the page, its plots, the figures and the attempts that `compare` needs.

    Args:
        folder: Made if need be; files of an older report in it are replaced.
        report: The page.
        result: The figures as JSON.
        attempts: Which attempt was judged rightly, as JSON.

    Raises:
        EvaluationError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / PAGE_FILE, report_page(report).encode())
        _write(folder / RESULT_FILE, (json.dumps(result, indent=2) + "\n").encode())
        _write(folder / ATTEMPTS_FILE, json.dumps(attempts).encode())
        for section in report.sections:
            for figure in section.figures:
                _write(folder / f"{figure.name}.png", figure.png)
    except OSError as error:
        raise EvaluationError(f"the report folder {folder} cannot be written: {error}") from error


def _write(path: Path, data: bytes) -> None:
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_bytes(data)
    os.replace(unfinished, path)
