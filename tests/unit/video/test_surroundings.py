"""A sudden change around a face casts doubt on whose it is, and a doubtful name is not shown."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.video.continuity import ContinuityRules
from facerec.video.detection_pace import DetectionPace
from facerec.video.surroundings import Surroundings
from tests.unit.video.scripted import Paint, Shown, frame, play, scripted_monitor

RULES = ContinuityRules(same_face_similarity=0.3)
BOX = np.array([280, 200, 340, 260], np.float32)


def texture(seed: int, wh: tuple[int, int] = (640, 480)) -> NDArray[np.uint8]:
    """A picture whose patches are about as large as the parts of a face."""
    rough = np.random.default_rng(seed).integers(20, 235, (wh[1] // 20, wh[0] // 20, 3))
    return np.asarray(cv2.resize(rough.astype(np.uint8), wh), np.uint8)


def noisy(image: NDArray[np.uint8], levels: float) -> NDArray[np.uint8]:
    noise = np.random.default_rng(9).normal(0, levels, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("change", "is_like"),
    [
        (lambda image: image, True),
        (lambda image: np.asarray(image // 2 + 30, np.uint8), True),
        (lambda image: np.roll(image, 3, axis=1), True),
        (lambda image: noisy(image, 8), True),
        (lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), 2), np.uint8), True),
        (lambda image: texture(2), False),
        (lambda image: np.roll(image, 60, axis=1), False),
        (lambda image: np.asarray(255 - image, np.uint8), False),
    ],
)
def test_motion_light_and_noise_change_little_and_another_picture_much(
    change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], is_like: bool
) -> None:
    image = texture(1)
    before = Surroundings.of(image, BOX)
    after = before.in_next(change(image))
    assert before.is_like(after) is after.is_like(before) is is_like


def test_an_even_picture_that_is_noisy_states_no_change() -> None:
    even = np.full((480, 640, 3), 40, np.uint8)
    assert Surroundings.of(even, BOX).is_like(Surroundings.of(noisy(even, 10), BOX))


@pytest.mark.parametrize("box", [(-30, -20, 30, 40), (600, 440, 700, 520), (5, 5, 5, 5)])
def test_a_face_at_the_edge_has_surroundings(box: tuple[float, ...]) -> None:
    at_edge = np.array(box, np.float32)
    assert Surroundings.of(texture(1), at_edge).cells.shape == (16, 16)
    assert Surroundings.of(texture(1), at_edge).is_like(Surroundings.of(texture(1), at_edge))


def painted(*changes: int) -> Paint:
    """Another texture behind the faces from each of these frames on; the rest stays black."""
    textures = [texture(seed, (320, 200)) for seed in range(len(changes) + 1)]

    def paint(image: NDArray[np.uint8], number: int) -> None:
        image[:, :320] = textures[sum(number >= at for at in changes)]

    return paint


def names(played: object) -> list[str | None]:
    return [track.name for o in played.observations for track in o.tracks]  # type: ignore[attr-defined]


def test_who_takes_a_named_persons_place_at_once_is_never_shown_under_the_name() -> None:
    played = play(
        lambda number: [Shown("ada" if number < 60 else "stranger", 100)],
        120,
        continuity=RULES,
        paint=painted(60),
    )
    assert [(d.track_id, d.name) for d in played.decisions] == [(1, "Ada"), (2, None)]
    assert names(played)[59] == "Ada"
    assert set(names(played)[60:]) == {None}
    assert played.observations[60].tracks[0].track_id == 2, "split at the first look"


def test_a_change_between_two_searches_is_looked_at_at_once() -> None:
    played = play(
        lambda number: [Shown("ada" if number < 61 else "bob", 100)],
        120,
        continuity=RULES,
        pace=DetectionPace(idle_s=0, decided_s=0.6, undecided_s=0),
        paint=painted(61),
    )
    assert sum(o.searched for o in played.observations[40:61]) <= 2
    assert played.observations[61].searched
    assert [d.name for d in played.decisions] == ["Ada", "Bob"]
    assert "Ada" not in names(played)[61:]


def test_a_change_behind_the_same_person_costs_a_look_and_nothing_else() -> None:
    played = play(lambda n: [Shown("ada", 100)], 25, continuity=RULES, paint=painted(12, 18))
    assert [d.track_id for d in played.decisions] == [1]
    assert len(played.analyzer.embedded) == 3 + 2
    assert set(names(played)[10:]) == {"Ada"}


def test_no_name_is_shown_until_a_fit_look_has_said_whose_face_it_is() -> None:
    def script(number: int) -> list[Shown]:
        return [Shown("ada", 100, blurred=12 <= number < 20)]

    played = play(script, 25, continuity=RULES, paint=painted(12))
    assert names(played)[11] == "Ada"
    assert set(names(played)[12:20]) == {None}
    assert all(o.tracks[0].in_doubt for o in played.observations[12:20])
    assert set(names(played)[20:]) == {"Ada"}
    assert len(played.decisions) == 1


def test_who_comes_back_after_being_out_of_sight_is_looked_at_first() -> None:
    def script(number: int) -> list[Shown]:
        return [] if 30 <= number < 40 else [Shown("ada" if number < 30 else "bob", 100)]

    played = play(script, 80, continuity=RULES)
    assert [d.name for d in played.decisions] == ["Ada", "Bob"]
    assert "Ada" not in names(played)[30:]


@pytest.mark.parametrize("back", ["ada", "bob"])
def test_after_a_time_without_frames_it_is_seen_first_who_stands_there(back: str) -> None:
    """The camera stalled for 1.8 s: the same person is told once, another never by their name."""
    _, monitor = scripted_monitor(
        lambda number: [Shown("ada" if number < 30 else back, 100, blurred=number == 75)],
        RULES,
        DetectionPace(0, 0, 0),
    )
    seen = [monitor.observe(frame(number)) for number in (*range(30), *range(75, 110))]
    decisions = [decision.name for observation in seen for decision in observation.decisions]
    assert decisions == (["Ada"] if back == "ada" else ["Ada", "Bob"])
    assert [track.name for track in seen[30].tracks] == [None], "not until there was a fit look"
    shown = {track.name for observation in seen[31:] for track in observation.tracks}
    assert shown == ({"Ada"} if back == "ada" else {None, "Bob"})


def test_looks_at_two_people_are_not_mixed_while_a_decision_is_open() -> None:
    def script(number: int) -> list[Shown]:
        return [Shown("ada" if number < 5 else "bob", 100)]

    mixed = play(script, 40, continuity=RULES)
    kept_apart = play(script, 40, continuity=RULES, paint=painted(5))
    assert [(d.track_id, d.name) for d in mixed.decisions] == [(1, "Bob")]
    assert [(d.track_id, d.name) for d in kept_apart.decisions] == [(1, None), (2, "Bob")]
