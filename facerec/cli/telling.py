"""How decisions about tracks are printed."""

from typing import TYPE_CHECKING

from rich.markup import escape

from facerec.cli.console import output

if TYPE_CHECKING:
    from facerec.video.observation import TrackDecision

__all__ = ["decision_line", "print_decision"]


def decision_line(told: "TrackDecision") -> str:
    """Return a decision as one line of rich's markup."""
    verdict = told.verdict
    found = verdict.decision
    colour = {"identified": "green", "unknown": "red"}.get(found.outcome.value, "yellow")
    who = told.name or found.outcome.value
    score = "" if found.similarity is None else f"  {found.similarity:.3f}/{found.threshold:.3f}"
    reasons = f"  ({', '.join(found.reasons)})" if found.reasons else ""
    elsewhere = (
        f"  [bold yellow]also at {escape(', '.join(told.also_at))}[/]" if told.also_at else ""
    )
    gate = ""
    if told.gate_answer is not None:
        why = f" ({', '.join(told.gate_answer.reasons)})" if told.gate_answer.reasons else ""
        gate = f"  gate {escape(told.gate)}: {told.gate_answer.outcome.value}{why}"
    return (
        f"{told.decided.astimezone():%H:%M:%S}  {escape(told.camera)} "
        f"#{told.track_id}  [bold {colour}]{escape(who)}[/]{score}{reasons}{gate}  "
        f"after {verdict.latency_s:.2f} s, {verdict.frames} frame(s){elsewhere}"
    )


def print_decision(told: "TrackDecision") -> None:
    """Print a decision on a line of stdout."""
    output.print(decision_line(told), soft_wrap=True)
