"""A decision as one line."""

from dataclasses import replace
from datetime import UTC, datetime

from rich.text import Text

from facerec.cli.telling import decision_line
from facerec.decision.decision import Decision, Outcome
from facerec.decision.gate_answer import GateAnswer, GateOutcome, GateReason
from facerec.video.evidence import Verdict
from facerec.video.observation import TrackDecision

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
FOUND = Decision(Outcome.IDENTIFIED, "p-ada", 0.7, 0.5, 0.2, ())
TOLD = TrackDecision("gate [west]", 3, Verdict(FOUND, 0.0, 0.3, 3), "Ada [1]", NOON, NOON)


def shown(told: TrackDecision) -> str:
    return Text.from_markup(decision_line(told)).plain


def test_names_are_no_markup() -> None:
    assert "gate [west] #3  Ada [1]  0.700/0.500  after 0.30 s, 3 frame(s)" in shown(TOLD)


def test_who_is_elsewhere_too_is_said_to_be() -> None:
    assert shown(TOLD) == shown(replace(TOLD, also_at=()))
    assert shown(replace(TOLD, also_at=("yard#7", "east#1"))).endswith("also at yard#7, east#1")


def test_a_gates_answer_is_said_with_its_reasons() -> None:
    answer = GateAnswer(GateOutcome.DENIED, (GateReason.COOLING_DOWN,))
    told = replace(TOLD, gate="main", gate_answer=answer)
    assert "gate main: denied (cooling_down)" in shown(told)
