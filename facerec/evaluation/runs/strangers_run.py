"""A strangers evaluation from visits to page."""

from collections import Counter
from typing import Any

import numpy as np

from facerec.evaluation.metrics.rate_of_events import CountedRate
from facerec.evaluation.protocols.strangers import StrangersResult
from facerec.evaluation.report.attempts import Attempts, attempts_to_json
from facerec.evaluation.report.content import Report, Section, Table
from facerec.evaluation.report.environment import present_environment
from facerec.evaluation.report.subject import TestedSystem, setting_sections
from facerec.evaluation.runs.run import EvaluationRun

__all__ = ["strangers_run"]

LIMITS = (
    "Each visit is one photograph, moved a little and made noisy: its looks agree more than those "
    "at a person who turns and speaks.",
    "An operating point that was measured on the same people keeps its rate better than on others.",
)


def strangers_run(
    system: TestedSystem, result: StrangersResult, targets: tuple[float, ...]
) -> EvaluationRun:
    """Evaluate how often strangers' visits are named, and people's own visits rightly.

    Keys of the record: ``fpir`` by target, each with ``named``, ``visits``, ``rate``, ``interval``
    (95 % of the true rate), ``expected`` (95 % of what the target gives) and ``keeps_target``;
    ``mated`` by target with ``right``, ``wrong`` and ``missed``; ``outcomes`` of strangers;
    ``counts``.
    """
    rates = {target: result.fpir(target) for target in targets}
    record = _record(result, rates) | {"warnings": [], "system": vars(system)}
    lines = [
        f"{rate.events} of {rate.trials} strangers named at a target of {target:g}"
        for target, rate in rates.items()
    ]
    report = Report(
        f"Strangers: {system.embedder} on {system.data}",
        "; ".join(lines) + ".",
        (),
        (
            Section("False-positive identification rate", tables=(_rate_table(rates),)),
            *setting_sections(system, present_environment(), LIMITS),
        ),
    )
    strangers = [visit for visit in result.visits if visit.target_fpir == targets[0]]
    names = tuple(visit.person for visit in strangers)
    right = np.array([visit.right if visit.enrolled else not visit.named for visit in strangers])
    attempts = attempts_to_json("strangers", (Attempts("visits", names, names, right),))
    return EvaluationRun(record, report, attempts, ())


def _record(result: StrangersResult, rates: dict[float, CountedRate]) -> dict[str, Any]:
    return {
        "fpir": {
            f"{target:g}": {
                "named": rate.events,
                "visits": rate.trials,
                "rate": rate.rate,
                "interval": [rate.interval.low, rate.interval.high],
                "expected": [rate.expected.low, rate.expected.high],
                "keeps_target": rate.keeps_target,
            }
            for target, rate in rates.items()
        },
        "mated": {
            f"{target:g}": dict(
                zip(("right", "wrong", "missed"), result.mated(target), strict=True)
            )
            for target in rates
        },
        "outcomes": {f"{target:g}": _outcomes(result, target) for target in rates},
        "counts": {"enrolled": result.people, "templates_each": result.templates_each},
    }


def _rate_table(rates: dict[float, CountedRate]) -> Table:
    rows = tuple(
        (
            f"{target:g}",
            str(rate.events),
            str(rate.trials),
            f"{rate.rate:.4f}",
            f"{rate.interval.low:.4f} to {rate.interval.high:.4f}",
            f"{rate.expected.low:.4f} to {rate.expected.high:.4f}",
        )
        for target, rate in rates.items()
    )
    return Table(
        "", ("Target FPIR", "Named", "Strangers", "Measured", "95 % interval", "Target gives"), rows
    )


def _outcomes(result: StrangersResult, target: float) -> dict[str, int]:
    """Count strangers by the last outcome of their visit; ``no_face`` for none."""
    last = [
        visit.outcomes[-1] if visit.outcomes else "no_face"
        for visit in result.visits
        if visit.target_fpir == target and not visit.enrolled
    ]
    return dict(Counter(last))
