"""Judging followed faces, by hand."""

import numpy as np

from facerec.evaluation.protocols.video import ClipTrack, VideoResult
from facerec.evaluation.report.subject import TestedSystem
from facerec.evaluation.runs.video_run import video_run

TRACKS = (
    ClipTrack("a", "Ada", True, "Ada", 0.4, 50),
    ClipTrack("b", "Bob", True, None, None, 50),  # missed
    ClipTrack("c", "Eve", True, "Bob", 0.8, 50),  # wrong
    ClipTrack("d", "Ada", False, None, None, 50),  # a stranger, not named: right
    ClipTrack("e", "Bob", False, "Eve", 0.2, 50),  # a stranger, named: wrong
    ClipTrack("f", None, False, None, None, 5),  # a bystander
    ClipTrack("g", "Ada", True, "Ada", 0.6, 50),
)
RESULT = VideoResult(TRACKS, clips=8, failed_clips=1)


def test_right_wrong_missed_and_strangers() -> None:
    assert (RESULT.right, RESULT.wrong, RESULT.missed, RESULT.strangers) == (2, 2, 1, 3)
    np.testing.assert_allclose(RESULT.latencies_s(), [0.4, 0.6])


def test_the_record_and_the_page() -> None:
    run = video_run(TestedSystem("d", "e", "s", (), "clips"), RESULT)
    assert run.record["tracks"] == {"right": 2, "wrong": 2, "missed": 1, "strangers": 3}
    assert run.record["time_to_decision_s"]["p50"] == 0.5
    assert run.record["fta"] == 1 / 8
    assert "2 of all 7 tracks were named as somebody else" in run.report.summary
    assert run.attempts["measures"]["tracks"]["right"] == "1001011"
    nobody = video_run(TestedSystem("d", "e", "s", (), "clips"), VideoResult((), 1, 1))
    assert nobody.record["time_to_decision_s"]["p50"] is None
