import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from facerec.video.events import cloud_event
from tests.unit.video.scripted import Shown, play


def test_an_event_carries_what_cloudevents_requires_and_what_scripts_rely_on() -> None:
    (told,) = play(lambda number: [Shown("ada", 100)], 10).decisions
    event = json.loads(json.dumps(cloud_event(told), allow_nan=False))
    assert event.pop("id")
    assert event == {
        "specversion": "1.0",
        "source": "/facerec/cameras/gate",
        "type": "facerec.track.decided.v1",
        "subject": "tracks/1",
        "time": "2026-05-01T12:00:00.240Z",
        "datacontenttype": "application/json",
        "data": {
            "outcome": "identified",
            "profile_id": "ada",
            "name": "Ada",
            "camera": "gate",
            "track_id": 1,
            "first_seen": "2026-05-01T12:00:00.000Z",
            "decided": "2026-05-01T12:00:00.240Z",
            "latency_s": 0.24,
            "frames": 3,
            "reasons": [],
            "similarity": 1.0,
            "threshold": 0.5,
            "margin": 0.5,
            "evidence": None,
            "also_at": [],
            "gate": None,
            "gate_outcome": None,
            "gate_reasons": [],
        },
    }


def test_a_stranger_has_no_name() -> None:
    (told,) = play(lambda number: [Shown("stranger", 100)], 40).decisions
    data = cloud_event(told)["data"]
    assert (data["outcome"], data["name"], data["profile_id"]) == ("unknown", None, None)
    assert data["reasons"] == ["below_threshold"]


def test_without_a_usable_frame_there_is_no_similarity() -> None:
    (told,) = play(lambda number: [Shown("ada", 100, blurred=True)], 10).decisions
    data = json.loads(json.dumps(cloud_event(told), allow_nan=False))["data"]
    assert (data["outcome"], data["similarity"], data["margin"]) == ("undecided", None, None)


def test_ids_differ_and_times_are_utc() -> None:
    (told,) = play(lambda number: [Shown("ada", 100)], 10).decisions
    assert cloud_event(told)["id"] != cloud_event(told)["id"]
    east = timezone(timedelta(hours=2))
    moved = replace(told, decided=datetime(2026, 5, 1, 14, 0, 0, 240_000, tzinfo=east))
    assert cloud_event(moved)["time"] == "2026-05-01T12:00:00.240Z"


@pytest.mark.parametrize(
    ("camera", "source"),
    [("east gate", "east%20gate"), ("a/b?c#d", "a%2Fb%3Fc%23d"), ("Tür", "T%C3%BCr")],
)
def test_any_camera_name_makes_a_source_that_is_a_uri_reference(camera: str, source: str) -> None:
    (told,) = play(lambda number: [Shown("ada", 100)], 10).decisions
    assert cloud_event(replace(told, camera=camera))["source"] == f"/facerec/cameras/{source}"
