"""What a monitor decides for a gate is heard by whoever watches the gate's decisions over gRPC."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facerec.decision.decision import Decision, Outcome
from facerec.decision.gate_rules import GateRules
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import NewTemplate
from facerec.v1 import reason_pb2
from facerec.v1 import verification_service_pb2 as api
from facerec.video.evidence import Verdict
from facerec.video.gate_keeper import GateKeeper
from facerec.video.observation import TrackDecision
from facerec.video.telling import Telling
from facerec_identity.decision_watch import decisions_after
from facerec_identity.serde import decision_to_proto

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
FOUND = Decision(Outcome.IDENTIFIED, "p-ada", 0.75, 0.5, 0.25, (), "rates", "space")


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "gallery.db") as opened:
        opened.create_gallery("staff")
        look = NewTemplate(np.eye(4, dtype=np.float32)[0], "space", 0.9, "test")
        opened.enrol("Ada", [look], galleries=["staff"], profile_id="p-ada")
        yield opened


def test_a_monitors_decision_is_heard_under_the_id_of_its_event(gallery: Gallery) -> None:
    sent: list[Mapping[str, Any]] = []
    telling = Telling(gallery, [], crops=None, heard=lambda told, event: sent.append(event))
    keeper = GateKeeper("main", GateRules(("staff",), cool_down_s=60), gallery)
    for track_id in (1, 2):
        told = TrackDecision("north", track_id, Verdict(FOUND, 0.0, 0.3, 3), "Ada", NOON, NOON)
        telling.tell(told, keeper)
    gallery.journal.flush()
    page = decisions_after(gallery, 0, {"main"})
    heard = [decision_to_proto(entry) for entry in page.entries]
    assert [each.decision_id for each in heard] == [event["id"] for event in sent]
    assert [each.gate for each in heard] == ["gates/main"] * 2
    assert [each.outcome for each in heard] == [
        api.AUTHORIZATION_OUTCOME_GRANTED,
        api.AUTHORIZATION_OUTCOME_DENIED,
    ]
    assert heard[1].reasons == [reason_pb2.REASON_COOLING_DOWN]
    assert [each.profile for each in heard] == ["profiles/p-ada"] * 2
