"""A track names one person: whoever takes their place is another track."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from facerec.errors import ArrayError
from facerec.video.continuity import Continuity, ContinuityRules
from facerec.video.detection_pace import DetectionPace
from facerec.video.overlap_tracker import OverlapTracker
from facerec.video.presence import Presence
from facerec.video.scene_cut import SceneCut
from tests.unit.video.scripted import VECTORS, Shown, play

RULES = ContinuityRules(same_face_similarity=0.3)


def test_whoever_takes_a_named_persons_place_does_not_take_their_name() -> None:
    """The same box goes on without a gap, as after a hard cut or behind a pillar."""

    def script(number: int) -> list[Shown]:
        return [Shown("ada" if number < 60 else "stranger", 100)]

    played = play(script, 150, continuity=RULES)
    assert [(d.track_id, d.name) for d in played.decisions] == [(1, "Ada"), (2, None)]
    names = [o.tracks[0].name for o in played.observations]
    assert set(names[60 + 32 :]) == {None}, "the old name is gone 1.2 s later"


def test_a_person_who_takes_a_strangers_place_is_named() -> None:
    played = play(
        lambda number: [Shown("stranger" if number < 60 else "bob", 100)], 150, continuity=RULES
    )
    assert [d.name for d in played.decisions] == [None, "Bob"]
    assert [d.track_id for d in played.decisions] == [1, 2]


def test_without_checks_the_name_would_stay() -> None:
    played = play(lambda number: [Shown("ada" if number < 60 else "stranger", 100)], 150)
    assert [d.name for d in played.decisions] == ["Ada"]
    assert played.observations[-1].tracks[0].name == "Ada"


def test_a_person_who_stays_costs_one_embedding_a_second() -> None:
    played = play(lambda number: [Shown("ada", 100)], 25 * 10, continuity=RULES)
    assert len(played.decisions) == 1
    assert len(played.analyzer.embedded) == 3 + 9


def test_one_doubtful_look_breaks_nothing() -> None:
    ada, other = VECTORS["ada"], VECTORS["bob"]
    once = Continuity(RULES, ada, 0.0).checked(other, 1.0)
    assert not once.is_broken
    assert once.is_due(1.1)
    assert not once.checked(ada, 1.1).is_due(1.2)
    assert once.checked(other, 1.1).is_broken
    assert not once.checked(ada, 1.1).checked(other, 2.1).is_broken


def test_a_cut_ends_every_track() -> None:
    """Ada is named anew, and an open track is not mixed with what comes after the cut."""
    played = play(lambda number: [Shown("ada", 100)], 60, cut_at=30)
    assert [(d.track_id, d.name) for d in played.decisions] == [(1, "Ada"), (2, "Ada")]
    mixed = play(lambda n: [Shown("ada" if n < 5 else "bob", 100)], 40, cut_at=5)
    assert [d.name for d in mixed.decisions] == [None, "Bob"]


def scene(seed: int) -> np.ndarray:
    rough = np.random.default_rng(seed).integers(0, 255, (15, 20, 3)).astype(np.uint8)
    return rough.repeat(32, axis=0).repeat(32, axis=1)


@pytest.mark.parametrize(
    ("change", "is_cut"),
    [
        (lambda image: image, False),
        (lambda image: np.clip(image.astype(int) // 2 + 90, 0, 255).astype(np.uint8), False),
        (lambda image: np.roll(image, 4, axis=1), False),
        (lambda image: scene(2), True),
        (lambda image: image[::2, ::2], True),
    ],
)
def test_another_scene_is_a_cut_and_light_and_motion_are_none(change: object, is_cut: bool) -> None:
    first = (scene(1) // 3 + 60).astype(np.uint8)
    first[100:300, 100:300] = 200
    cut = SceneCut()
    assert not cut.is_cut(first)
    assert cut.is_cut(change(first)) is is_cut  # type: ignore[operator]


def test_frames_are_searched_less_often_when_nothing_is_open() -> None:
    pace = DetectionPace(idle_s=0.1, decided_s=0.15)
    played = play(lambda number: [Shown("ada", 100)] if 25 <= number < 75 else [], 125, pace=pace)
    searched = [o.searched for o in played.observations]
    assert sum(searched[:25]) <= 9, "nobody there"
    (told,) = played.decisions
    assert told.verdict.latency_s <= 0.3, "nearly all frames while a decision is open"
    assert sum(searched[40:75]) <= 35 / 4 + 1, "decided"
    unsearched = next(o for o in played.observations[45:] if not o.searched)
    assert [view.name for view in unsearched.tracks] == ["Ada"]


def test_a_fast_face_is_searched_for_more_often() -> None:
    pace = DetectionPace()
    slow = pace.interval_s(followed=1, undecided=0, fastest_sides_per_s=0.1)
    fast = pace.interval_s(followed=1, undecided=0, fastest_sides_per_s=7.0)
    assert (slow, fast) == (0.15, pytest.approx(0.05))
    assert pace.interval_s(followed=2, undecided=1, fastest_sides_per_s=0.0) == 0.035
    assert pace.interval_s(followed=2, undecided=1, fastest_sides_per_s=35.0) == 0.01


@pytest.mark.parametrize(
    ("sides_px", "since_small_s", "least_px"),
    [
        ([], 0.1, 0),
        ([90.0], 0.1, 48),
        ([90.0], 0.5, 0),
        ([90.0, 60.0], 0.1, 48),
        ([90.0, 59.0], 0.1, 0),  # it may be 47 pixels large at the next look
    ],
)
def test_small_faces_are_searched_for_now_and_then_where_only_large_ones_are_followed(
    sides_px: list[float], since_small_s: float, least_px: int
) -> None:
    assert DetectionPace().least_px(sides_px, since_small_s=since_small_s) == least_px


def test_a_large_face_is_followed_in_small_pictures() -> None:
    played = play(lambda n: [Shown("ada", 100)] if n >= 25 else [], 75, pace=DetectionPace())
    nobody = sum(o.searched for o in played.observations[:25])
    from_px = played.analyzer.searched_from_px
    assert set(from_px[: nobody + 1]) == {0}, "nobody is followed: whoever comes is searched for"
    assert from_px[nobody + 1 :].count(0) == 2000 // 500 - 1, "every half second"
    assert len(played.decisions) == 1


def test_splitting_a_track_keeps_its_place_under_a_new_number() -> None:
    tracker = OverlapTracker(forget_after_s=1.0)
    box = np.array([[0, 0, 50, 50]], np.float32)
    assert tracker.update(box, 0.0).track_ids.tolist() == [1]
    assert tracker.split(1) == 2
    assert tracker.update(box, 0.1).track_ids.tolist() == [2]
    with pytest.raises(ArrayError, match="no track 1"):
        tracker.split(1)


def test_one_person_at_two_places_at_once_is_flagged() -> None:
    played = play(lambda n: [Shown("ada", 100)] + ([Shown("ada", 400)] if n >= 20 else []), 60)
    assert [(d.track_id, d.also_at) for d in played.decisions] == [(1, ()), (2, ("gate#1",))]


def test_a_person_who_left_is_at_no_other_place() -> None:
    presence = Presence()
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert presence.note("ada", "north", 1, noon) == ()
    assert presence.note("ada", "south", 1, noon + timedelta(seconds=0.5)) == ("north#1",)
    assert presence.note("bob", "south", 2, noon) == ()
    assert presence.note("ada", "south", 1, noon + timedelta(seconds=5)) == ()
