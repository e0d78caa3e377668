from dataclasses import replace

import numpy as np
import pytest

from facerec.decision.decision import Outcome
from facerec.video.annotation import annotate, colour_of
from facerec.video.continuity import ContinuityRules
from tests.unit.video.scripted import Shown, play


def count(image: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int(np.all(image == np.array(colour, np.uint8), axis=-1).sum())


@pytest.mark.parametrize(
    ("who", "frames", "outcome"),
    [
        ("ada", 20, Outcome.IDENTIFIED),
        ("stranger", 40, Outcome.UNKNOWN),
        ("stranger", 3, Outcome.UNDECIDED),
    ],
)
def test_the_colour_says_what_is_known(who: str, frames: int, outcome: Outcome) -> None:
    observation = play(lambda number: [Shown(who, 320)], frames).observations[-1]
    image = annotate(observation, camera="gate")
    others = {colour_of(o) for o in Outcome} - {colour_of(outcome)}
    assert count(image, colour_of(outcome)) > 500
    assert all(count(image, colour) == 0 for colour in others)


def test_whose_face_it_is_is_not_claimed_in_doubt() -> None:
    def script(number: int) -> list[Shown]:
        return [] if number == 15 else [Shown("ada", 320, blurred=number > 15)]

    doubted = play(script, 20, continuity=ContinuityRules(0.3)).observations[-1]
    assert doubted.tracks[0].in_doubt
    image = annotate(doubted, camera="gate")
    assert count(image, colour_of(Outcome.UNDECIDED)) > 500
    assert count(image, colour_of(Outcome.IDENTIFIED)) == 0


def test_the_frame_itself_stays_as_it_is() -> None:
    observation = play(lambda number: [Shown("ada", 320)], 5).observations[-1]
    before = observation.frame.image_bgr.copy()
    annotate(observation, camera="gate")
    np.testing.assert_array_equal(observation.frame.image_bgr, before)


@pytest.mark.parametrize("x", [-60, -20, 0, 630, 660, 700])
def test_faces_at_and_beyond_the_border_have_their_labels_inside(x: float) -> None:
    observation = play(lambda number: [Shown("ada", x)], 20).observations[-1]
    image = annotate(observation, camera="gate")
    assert count(image, colour_of(Outcome.IDENTIFIED)) > 400, "the label's background shows"


def test_names_of_any_script_are_written() -> None:
    observation = play(lambda number: [Shown("ada", 320)], 20).observations[-1]
    (track,) = observation.tracks
    for name in ("Zoë Müller", "Łukasz", "Ирина", "名前", "", "a" * 300):
        shown = replace(observation, tracks=(replace(track, name=name),))
        assert annotate(shown, camera="gate").shape == observation.frame.image_bgr.shape
