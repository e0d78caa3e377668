from datetime import timedelta

import pytest

from facerec.decision.decision import Outcome, Reason
from tests.unit.video.scripted import OPENED, Shown, play


def test_a_person_is_named_once_and_then_costs_no_embedding() -> None:
    played = play(lambda number: [Shown("ada", 100)], 100)
    (told,) = played.decisions
    assert (told.camera, told.track_id, told.name) == ("gate", 1, "Ada")
    assert told.verdict.decision.outcome is Outcome.IDENTIFIED
    # Looks at 0, 0.12 and 0.24 s: every third of 25 frames a second is 0.1 s or more apart.
    assert played.analyzer.embedded == ["ada"] * 3
    assert told.verdict.latency_s == pytest.approx(0.24)
    assert told.first_seen == OPENED
    assert told.decided == OPENED + timedelta(seconds=0.24)
    assert [len(o.decisions) for o in played.observations].index(1) == 6


def test_views_show_the_state_after_the_frame() -> None:
    played = play(lambda number: [Shown("ada", 100)], 8)
    names = [o.tracks[0].name for o in played.observations]
    assert names == [None] * 6 + ["Ada"] * 2
    assert played.observations[6].tracks[0].evidence.verdict is not None
    assert played.observations[0].tracks[0].evidence.frames == 1


def test_a_stranger_is_told_once_and_not_named() -> None:
    played = play(lambda number: [Shown("stranger", 100)], 100)
    (told,) = played.decisions
    assert told.name is None
    assert told.verdict.decision.outcome is Outcome.UNKNOWN
    assert told.verdict.decision.reasons == (Reason.BELOW_THRESHOLD,)
    assert 1.0 <= told.verdict.latency_s <= 1.1


def test_two_people_are_kept_apart_and_embedded_in_one_batch() -> None:
    played = play(lambda number: [Shown("ada", 100), Shown("stranger", 400)], 60)
    assert {(d.track_id, d.name) for d in played.decisions} == {(1, "Ada"), (2, None)}
    assert played.analyzer.batches < len(played.analyzer.embedded)


def test_faces_unfit_for_comparison_are_no_evidence_and_the_end_says_why() -> None:
    played = play(lambda number: [Shown("ada", 100, blurred=True)], 50)
    (told,) = played.decisions
    assert played.analyzer.embedded == []
    assert told.verdict.decision.outcome is Outcome.UNDECIDED
    assert told.verdict.decision.reasons == (Reason.BLURRED, Reason.TOO_FEW_FRAMES)
    assert told.verdict.frames == 0


def test_faces_of_too_low_quality_are_no_evidence() -> None:
    played = play(lambda number: [Shown("ada", 100, quality=0.19)], 50)
    assert played.analyzer.embedded == []
    assert played.decisions[0].verdict.decision.reasons[0] is Reason.LOW_QUALITY


def test_good_frames_between_bad_ones_are_enough() -> None:
    played = play(lambda number: [Shown("ada", 100, blurred=number % 10 != 0)], 30)
    assert [d.name for d in played.decisions] == ["Ada"]
    assert len(played.analyzer.embedded) == 3


def test_whoever_leaves_before_a_decision_is_undecided_when_forgotten() -> None:
    played = play(lambda number: [Shown("ada", 100)] if number < 5 else [], 60)
    (told,) = played.decisions
    assert told.verdict.decision.outcome is Outcome.UNDECIDED
    assert told.verdict.decision.reasons == (Reason.TOO_FEW_FRAMES,)
    assert told.name is None
    assert told.decided == OPENED + timedelta(seconds=4 / 25), "when last seen, not when forgotten"
    told_at = next(i for i, o in enumerate(played.observations) if o.decisions)
    assert told_at == 4 + 25 + 1  # the first frame more than a second after the last sight


def test_a_face_of_one_frame_is_told_as_undecided() -> None:
    played = play(lambda number: [Shown("ada", 100)] if number == 2 else [], 60)
    (told,) = played.decisions
    assert told.verdict.decision.outcome is Outcome.UNDECIDED
    assert told.verdict.decision.reasons == (Reason.TOO_FEW_FRAMES,)
    assert told.verdict.frames == 1


def test_a_flawed_face_of_two_frames_is_told_to_nobody() -> None:
    """It is as often a pattern in the background."""
    played = play(lambda number: [Shown("ada", 100, blurred=True)] if number < 2 else [], 60)
    assert played.decisions == []


def test_a_person_who_returns_is_a_new_track_with_a_decision_of_its_own() -> None:
    away = range(20, 60)
    played = play(lambda number: [] if number in away else [Shown("ada", 100)], 80)
    assert [(d.track_id, d.name) for d in played.decisions] == [(1, "Ada"), (2, "Ada")]


def test_a_stranger_who_steps_up_is_looked_at_again() -> None:
    """Far away the face is too poor to be known, which is no reason to keep the gate shut."""

    def script(number: int) -> list[Shown]:
        far = number < 50
        return [Shown("stranger" if far else "bob", 100, quality=0.4 if far else 0.8)]

    played = play(script, 100)
    assert [d.name for d in played.decisions] == [None, "Bob"]
    assert [d.track_id for d in played.decisions] == [1, 1]


def test_without_continuity_rules_a_missed_detection_takes_no_name_away() -> None:
    """Nobody would look again, so the doubt would last as long as the track."""
    played = play(lambda number: [] if number == 20 else [Shown("ada", 100)], 60)
    assert [(d.track_id, d.name) for d in played.decisions] == [(1, "Ada")]
    names = [[view.name for view in o.tracks] for o in played.observations[10:]]
    assert names == [["Ada"]] * 10 + [[]] + [["Ada"]] * 39
