"""A monitor that guards a gate: only who stands there counts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facerec.decision.gate_answer import GateReason
from facerec.decision.gate_rules import GateRules
from facerec.decision.gate_zone import Zone
from facerec.video.face_crop import face_crop
from facerec.video.look_digest import look_digest
from facerec.video.monitor import Monitor
from facerec.video.monitor_rules import MonitorRules
from facerec.video.overlap_tracker import OverlapTracker
from tests.unit.video.scripted import (
    RULES,
    Paint,
    Played,
    Script,
    ScriptedAnalyzer,
    ScriptedIdentifier,
    Shown,
    frame,
)

LEFT_HALF = Zone(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))


def textured(image: NDArray[np.uint8], number: int) -> None:
    """Draw the same background in each picture, unlike itself at each place."""
    image[:] = np.random.default_rng(0).integers(0, 256, image.shape, np.uint8)


def at_gate(
    script: Script,
    frames: int,
    rules: GateRules,
    *,
    crops: bool = False,
    paint: Paint = lambda image, number: None,
) -> Played:
    analyzer = ScriptedAnalyzer(script)
    monitor = Monitor(
        analyzer,
        OverlapTracker(forget_after_s=1.0),
        ScriptedIdentifier(),
        MonitorRules(RULES, min_quality=0.2, gate=rules, keeps_crops=crops),
        camera="gate",
    )
    seen = tuple(monitor.observe(frame(number, paint=paint)) for number in range(frames))
    return Played(seen, monitor.finish(), analyzer)


def test_who_stands_outside_the_zone_costs_nothing_and_is_told_to_nobody() -> None:
    played = at_gate(
        lambda number: [Shown("ada", 100), Shown("bob", 500)], 60, GateRules(("x",), zone=LEFT_HALF)
    )
    assert [d.name for d in played.decisions] == ["Ada"]
    assert set(played.analyzer.embedded) == {"ada"}
    assert [view.aside for view in played.observations[0].tracks] == [
        None,
        GateReason.OUTSIDE_ZONE,
    ]


def test_who_walks_into_the_zone_is_decided_there() -> None:
    def script(number: int) -> Sequence[Shown]:
        return [Shown("ada", max(100.0, 500.0 - 8.0 * number))]

    played = at_gate(script, 80, GateRules(("x",), zone=LEFT_HALF))
    (told,) = played.decisions
    assert told.name == "Ada"
    assert told.box_xyxy_px[0] + 30 < 320
    # From first sight far off; the looks themselves were all taken in the zone.
    assert told.verdict.latency_s > 23 / 25


def test_no_gate_and_everybody_counts() -> None:
    played = at_gate(
        lambda number: [Shown("ada", 100), Shown("bob", 500)],
        60,
        GateRules(("x",), nearest_only=False),
    )
    assert {d.name for d in played.decisions} == {"Ada", "Bob"}


def test_the_best_look_is_kept_only_where_asked_for() -> None:
    def script(number: int) -> Sequence[Shown]:
        return [Shown("ada", 100, quality=0.9 if number == 3 else 0.5)]

    (kept,) = at_gate(script, 20, GateRules(("x",)), crops=True).decisions
    (bare,) = at_gate(script, 20, GateRules(("x",))).decisions
    assert bare.crop_bgr is None
    assert kept.crop_bgr is not None
    shown = frame(3).image_bgr
    np.testing.assert_array_equal(
        kept.crop_bgr, face_crop(shown, np.array([70, 70, 130, 130], np.float32))
    )


def test_the_looks_of_a_decision_are_told_where_a_gate_refuses_repeats() -> None:
    def script(number: int) -> Sequence[Shown]:
        return [Shown("ada", 100 + number)]

    refusing = GateRules(("x",), refuse_repeats=True)
    (told,) = at_gate(script, 20, refusing, paint=textured).decisions
    looks = [
        look_digest(
            frame(number, paint=textured).image_bgr,
            np.array([70 + number, 70, 130 + number, 130], np.float32),
        )
        for number in range(20)
    ]
    assert len(told.looks) == told.verdict.frames
    places = [looks.index(look) for look in told.looks]
    assert places == sorted(set(places))
    (silent,) = at_gate(script, 20, GateRules(("x",))).decisions
    assert not silent.looks


def test_a_look_is_the_pixels_of_the_face() -> None:
    image = np.random.default_rng(0).integers(0, 256, (100, 80, 3), np.uint8)
    box = np.array([10.2, 5.4, 40.4, 35.6], np.float32)
    look = look_digest(image, box)
    assert look_digest(image[:, :60], box) == look
    beside, within = image.copy(), image.copy()
    beside[5, 40] ^= 1
    within[5, 39] ^= 1
    assert look_digest(beside, box) == look != look_digest(within, box)
    # As many bytes in another shape, and a face that is partly outside.
    flat = np.zeros((4, 4, 3), np.uint8)
    assert look_digest(flat, np.array([0, 0, 4, 1], np.float32)) != look_digest(
        flat, np.array([0, 0, 1, 4], np.float32)
    )
    assert look_digest(flat, np.array([-9, -9, 2, 2], np.float32)) == look_digest(
        flat, np.array([0, 0, 2, 2], np.float32)
    )


def test_a_crop_ends_where_the_picture_does() -> None:
    image = np.arange(100 * 80 * 3, dtype=np.uint32).astype(np.uint8).reshape(100, 80, 3)
    crop = face_crop(image, np.array([-10, 5, 20, 35], np.float32))
    np.testing.assert_array_equal(crop, image[0:47, 0:32])
