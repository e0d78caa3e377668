"""A gate's answers about people as they are stored at that moment."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from facerec.decision.decision import Decision, Outcome, Reason
from facerec.decision.gate_answer import GateOutcome, GateReason
from facerec.decision.gate_rules import GateRules
from facerec.gallery.gallery import Gallery
from facerec.gallery.life_cycle import ProfileChange
from facerec.gallery.profile import NewTemplate, ProfileState
from facerec.video.events import cloud_event
from facerec.video.evidence import Verdict
from facerec.video.gate_keeper import GateKeeper
from facerec.video.observation import TrackDecision

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
RULES = GateRules(("staff",), ("former",), cool_down_s=10)


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "gallery.db") as opened:
        for name, row in (("staff", 0), ("former", 1)):
            opened.create_gallery(name)
            look = NewTemplate(np.eye(4, dtype=np.float32)[row], "space", 0.9, "test")
            opened.enrol(name, [look], galleries=[name], profile_id=f"p-{name}")
        yield opened


def told(profile_id: str | None, track_id: int = 1, after_s: float = 0.0) -> TrackDecision:
    outcome = Outcome.UNKNOWN if profile_id is None else Outcome.IDENTIFIED
    reasons = (Reason.BELOW_THRESHOLD,) if profile_id is None else ()
    verdict = Verdict(Decision(outcome, profile_id, 0.7, 0.5, 0.2, reasons), 0.0, 0.3, 3)
    at = NOON + timedelta(seconds=after_s)
    return TrackDecision("north", track_id, verdict, None, at, at)


def test_who_may_pass_is_granted_once_and_the_event_says_so(gallery: Gallery) -> None:
    keeper = GateKeeper("main", RULES, gallery)
    data = cloud_event(keeper.answered(told("p-staff")))["data"]
    assert (data["gate"], data["gate_outcome"], data["gate_reasons"]) == ("main", "granted", [])
    again = cloud_event(keeper.answered(told("p-staff", track_id=2, after_s=5)))["data"]
    assert (again["gate_outcome"], again["gate_reasons"]) == ("denied", ["cooling_down"])


def test_a_camera_that_counts_its_tracks_anew_takes_no_grant_from_who_comes_next(
    gallery: Gallery,
) -> None:
    """After a fault, or when its settings changed, a camera's tracks begin at 1 again."""
    look = NewTemplate(np.eye(4, dtype=np.float32)[2], "space", 0.9, "test")
    gallery.enrol("colleague", [look], galleries=["staff"], profile_id="p-colleague")
    keeper = GateKeeper("main", RULES, gallery)
    keeper.answered(told("p-staff"))
    answer = keeper.answered(told("p-colleague", after_s=60)).gate_answer
    assert answer is not None
    assert answer.outcome is GateOutcome.GRANTED


@pytest.mark.parametrize("who", ["p-former", "p-nobody"])
def test_who_is_known_and_may_not_pass_is_denied(gallery: Gallery, who: str) -> None:
    answer = GateKeeper("main", RULES, gallery).answered(told(who)).gate_answer
    assert answer is not None
    assert (answer.outcome, answer.reasons) == (GateOutcome.DENIED, (GateReason.NOT_ADMITTED,))


def test_a_suspension_counts_from_the_next_decision_on(gallery: Gallery) -> None:
    keeper = GateKeeper("main", RULES, gallery)
    gallery.life_cycle.update("p-staff", ProfileChange(state=ProfileState.SUSPENDED))
    answer = keeper.answered(told("p-staff")).gate_answer
    assert answer is not None
    assert answer.outcome is GateOutcome.DENIED


def test_a_stranger_is_unknown_at_the_gate(gallery: Gallery) -> None:
    answer = GateKeeper("main", RULES, gallery).answered(told(None)).gate_answer
    assert answer is not None
    assert answer.outcome is GateOutcome.UNKNOWN
