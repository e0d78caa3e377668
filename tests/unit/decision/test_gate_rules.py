"""The rules of a gate, against hand-made cases and an independent polygon test."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facerec.decision.decision import Decision, Outcome, Reason
from facerec.decision.gate_answer import GateOutcome, GateReason
from facerec.decision.gate_rules import GateRules
from facerec.decision.gate_schedule import OpenSpan, Schedule
from facerec.decision.gate_standing import standing_at
from facerec.decision.gate_turnstile import GateRequest, Turnstile
from facerec.decision.gate_zone import Zone
from facerec.errors import SettingsError

ELL = Zone(((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.5, 0.5), (0.5, 1.0), (0.0, 1.0)))
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)  # a Monday
ADA = Decision(Outcome.IDENTIFIED, "ada", 0.7, 0.5, 0.4, ())
RULES = GateRules(("staff",), min_frames=3, cool_down_s=5.0)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_zone_contains_what_opencv_says(x: float, y: float) -> None:
    corners = np.array(ELL.corners, np.float32)
    side = cv2.pointPolygonTest(corners.reshape(-1, 1, 2), (x, y), measureDist=True)
    if abs(side) > 1e-6:  # on the edge either answer is right
        assert bool(ELL.contains(np.array([[x, y]]))[0]) == (side > 0)


def test_a_zone_knows_its_area() -> None:
    assert ELL.area == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("corners", "word"),
    [
        (((0, 0), (1, 1)), "three corners"),
        (((0, 0), (320, 0), (320, 240)), "shares"),
        (((0.2, 0.2), (0.5, 0.5), (0.8, 0.8)), "no size"),
        (((0.5, 0.5), (0.5, 0.5), (0.5, 0.5)), "no size"),
        (((0, 0), (1, 1), (1, 0), (0, 0.9)), "cross"),
    ],
)
def test_a_zone_that_is_none_is_refused(
    corners: tuple[tuple[float, float], ...], word: str
) -> None:
    with pytest.raises(SettingsError, match=word):
        Zone(corners)


def boxes(*middle_and_side: tuple[float, float, float]) -> np.ndarray:
    return np.array(
        [[x - s / 2, y - s / 2, x + s / 2, y + s / 2] for x, y, s in middle_and_side], np.float32
    ).reshape(-1, 4)


def test_only_the_nearest_face_in_the_zone_stands_at_the_gate() -> None:
    rules = GateRules(("staff",), zone=ELL, min_face_px=60)
    faces = boxes((100, 100, 80), (150, 100, 100), (600, 400, 200), (100, 300, 59))
    assert standing_at(faces, (640, 480), rules) == (
        GateReason.NOT_NEAREST,
        None,
        GateReason.OUTSIDE_ZONE,  # the largest of all
        GateReason.TOO_FAR,
    )
    everybody = replace(rules, nearest_only=False)
    assert standing_at(faces, (640, 480), everybody)[:2] == (None, None)


def test_of_two_equal_faces_one_is_the_nearest() -> None:
    faces = boxes((100, 100, 80), (300, 100, 80))
    assert standing_at(faces, (640, 480), GateRules(("staff",))) == (None, GateReason.NOT_NEAREST)


def test_nobody_stands_at_an_empty_gate() -> None:
    assert standing_at(boxes(), (640, 480), replace(RULES, zone=ELL)) == ()


def test_a_face_of_just_the_smallest_size_counts() -> None:
    rules = GateRules(("staff",), min_face_px=60)
    assert standing_at(boxes((100, 100, 60)), (640, 480), rules) == (None,)


@pytest.mark.parametrize(
    ("span", "at", "is_open"),
    [
        ("mon-fri 07:00-19:00", datetime(2026, 5, 4, 7, 0), True),
        ("mon-fri 07:00-19:00", datetime(2026, 5, 4, 6, 59), False),
        ("mon-fri 07:00-19:00", datetime(2026, 5, 4, 18, 59, 59), True),
        ("mon-fri 07:00-19:00", datetime(2026, 5, 4, 19, 0), False),
        ("mon-fri 07:00-19:00", datetime(2026, 5, 9, 12, 0), False),  # Saturday
        ("sat 22:00-06:00", datetime(2026, 5, 10, 5, 59), True),  # Sunday morning
        ("sat 22:00-06:00", datetime(2026, 5, 9, 5, 59), False),
        ("sat 22:00-06:00", datetime(2026, 5, 9, 22, 0), True),
        ("sun 22:00-06:00", datetime(2026, 5, 4, 1, 0), True),  # from Sunday into Monday
        ("fri-mon 08:00-24:00", datetime(2026, 5, 10, 23, 59), True),
        ("fri-mon 08:00-24:00", datetime(2026, 5, 5, 12, 0), False),
        ("MON 08:00-09:00", datetime(2026, 5, 4, 8, 30), True),
        ("mon 20:00-00:00", datetime(2026, 5, 4, 23, 0), True),
        ("mon 20:00-00:00", datetime(2026, 5, 5, 0, 0), False),
    ],
)
def test_a_schedule_is_open_in_its_spans(span: str, at: datetime, is_open: bool) -> None:
    schedule = Schedule((OpenSpan.parse(span),), UTC)
    assert schedule.is_open(at.replace(tzinfo=UTC)) is is_open


def test_a_schedule_reads_the_clock_of_its_place_in_summer_and_in_winter() -> None:
    schedule = Schedule((OpenSpan.parse("mon-sun 08:00-09:00"),), ZoneInfo("Europe/Berlin"))
    assert schedule.is_open(datetime(2026, 7, 1, 6, 30, tzinfo=UTC))
    assert not schedule.is_open(datetime(2026, 1, 1, 6, 30, tzinfo=UTC))
    assert schedule.is_open(datetime(2026, 1, 1, 7, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "weekdays 7-19",
        "mon-xyz 07:00-19:00",
        "mon 25:00-26:00",
        "mon 07:60-08:00",
        "mon 7:00-8:00",
        "mon 08:00-08:00",
    ],
)
def test_a_span_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="mon-fri 07:00-19:00"):
        OpenSpan.parse(text)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(SettingsError, match="time zone"):
        Schedule().is_open(datetime(2026, 5, 4))


def request(visit: str = "1", after_s: float = 0.0, **changes: object) -> GateRequest:
    asked = GateRequest(visit, ADA, 3, True, NOON + timedelta(seconds=after_s))
    return replace(asked, **changes)  # type: ignore[arg-type]


def test_one_face_gets_one_grant_however_often_it_asks() -> None:
    turnstile = Turnstile(RULES)
    first, turnstile = turnstile.answer(request())
    again, turnstile = turnstile.answer(request(after_s=60))
    assert first.outcome is GateOutcome.GRANTED
    assert first.reasons == ()
    assert (again.outcome, again.reasons) == (GateOutcome.DENIED, (GateReason.ALREADY_GRANTED,))


def test_the_same_person_waits_until_the_gate_has_cooled_down() -> None:
    _, turnstile = Turnstile(RULES).answer(request("1"))
    soon, turnstile = turnstile.answer(request("2", after_s=4))
    assert (soon.outcome, soon.reasons) == (GateOutcome.DENIED, (GateReason.COOLING_DOWN,))
    assert soon.wait_s == pytest.approx(1.0)
    later, _ = turnstile.answer(request("3", after_s=5))
    assert later.outcome is GateOutcome.GRANTED


def test_another_person_does_not_wait() -> None:
    _, turnstile = Turnstile(RULES).answer(request("1"))
    bob = replace(ADA, profile_id="bob")
    answer, _ = turnstile.answer(request("2", after_s=1, decision=bob))
    assert answer.outcome is GateOutcome.GRANTED


@pytest.mark.parametrize(
    ("changes", "outcome", "reasons"),
    [
        ({"frames": 2}, GateOutcome.RETRY, (GateReason.TOO_FEW_SIGHTINGS,)),
        ({"admitted": False}, GateOutcome.DENIED, (GateReason.NOT_ADMITTED,)),
        (
            {"decision": Decision(Outcome.UNKNOWN, None, 0.1, 0.5, 0.0, (Reason.BELOW_THRESHOLD,))},
            GateOutcome.UNKNOWN,
            (),
        ),
        (
            {"decision": Decision(Outcome.UNDECIDED, None, 0.6, 0.5, 0.0, (Reason.NARROW_MARGIN,))},
            GateOutcome.RETRY,
            (),
        ),
    ],
)
def test_no_other_request_opens_the_gate_or_is_remembered(
    changes: dict[str, object], outcome: GateOutcome, reasons: tuple[GateReason, ...]
) -> None:
    turnstile = Turnstile(RULES)
    answer, after = turnstile.answer(request(**changes))  # type: ignore[arg-type]
    assert (answer.outcome, answer.reasons) == (outcome, reasons)
    assert after is turnstile


def test_a_gate_does_not_open_outside_its_hours() -> None:
    rules = replace(RULES, schedule=Schedule((OpenSpan.parse("mon 13:00-14:00"),), UTC))
    closed, turnstile = Turnstile(rules).answer(request())
    assert (closed.outcome, closed.reasons) == (GateOutcome.DENIED, (GateReason.OUTSIDE_SCHEDULE,))
    opened, _ = turnstile.answer(request(after_s=3600))
    assert opened.outcome is GateOutcome.GRANTED


ONCE = replace(RULES, cool_down_s=0.0, refuse_repeats=True)


def test_a_look_opens_a_gate_once() -> None:
    """Whichever of the looks it is, and whoever it is taken for."""
    opened, turnstile = Turnstile(ONCE).answer(request("1", looks=(b"a", b"b")))
    assert opened.outcome is GateOutcome.GRANTED
    bob = replace(ADA, profile_id="bob")
    for visit, decision in (("2", ADA), ("3", bob)):
        again, turnstile = turnstile.answer(
            request(visit, after_s=60, looks=(b"c", b"b"), decision=decision)
        )
        assert (again.outcome, again.reasons) == (
            GateOutcome.DENIED,
            (GateReason.ATTACK_SUSPECTED,),
        )
    other, turnstile = turnstile.answer(request("4", after_s=60, looks=(b"c",)))
    assert other.outcome is GateOutcome.GRANTED  # what was refused is no grant
    nobody, _ = turnstile.answer(request("5", after_s=60))
    assert nobody.outcome is GateOutcome.GRANTED


def test_a_visit_that_asks_again_is_no_attack() -> None:
    _, turnstile = Turnstile(ONCE).answer(request("1", looks=(b"a",)))
    again, _ = turnstile.answer(request("1", after_s=1, looks=(b"a", b"b")))
    assert again.reasons == (GateReason.ALREADY_GRANTED,)


@pytest.mark.parametrize(("after_s", "repeated"), [(86_399.0, True), (86_401.0, False)])
def test_a_look_opens_a_gate_again_after_a_day(after_s: float, repeated: bool) -> None:
    """Also when nobody was granted since."""
    rules = replace(ONCE, cool_down_s=3600.0)
    _, turnstile = Turnstile(rules).answer(request("1", looks=(b"a",)))
    again, _ = turnstile.answer(request("2", after_s=after_s, looks=(b"a",)))
    assert (again.reasons == (GateReason.ATTACK_SUSPECTED,)) == repeated
    assert (again.outcome is GateOutcome.GRANTED) != repeated


def test_who_is_refused_for_a_repeat_too_is_told_when_the_cool_down_ends() -> None:
    rules = replace(ONCE, cool_down_s=10.0)
    _, turnstile = Turnstile(rules).answer(request("1", looks=(b"a",)))
    again, _ = turnstile.answer(request("2", after_s=4, looks=(b"a",)))
    assert again.reasons == (GateReason.ATTACK_SUSPECTED, GateReason.COOLING_DOWN)
    assert again.wait_s == 6


def test_looks_are_remembered_only_where_repeats_are_refused_and_for_a_day() -> None:
    _, turnstile = Turnstile(replace(ONCE, refuse_repeats=False)).answer(request(looks=(b"a",)))
    assert not turnstile.looks
    turnstile = Turnstile(ONCE)
    for day in range(3):
        _, turnstile = turnstile.answer(
            request(str(day), after_s=86401.0 * day, looks=(b"%d" % day,))
        )
        assert turnstile.looks.keys() == {b"%d" % day}


def test_a_turnstile_forgets_what_is_long_past() -> None:
    turnstile = Turnstile(replace(RULES, cool_down_s=0.0))
    for day in range(100):
        _, turnstile = turnstile.answer(
            request(str(day), after_s=86400.0 * day, decision=replace(ADA, profile_id=str(day)))
        )
    assert len(turnstile.people) <= 2
    assert len(turnstile.visits) <= 2


def test_a_gate_searches_each_gallery_once() -> None:
    assert GateRules(("staff", "guests"), ("staff", "former")).searched == (
        "staff",
        "guests",
        "former",
    )
