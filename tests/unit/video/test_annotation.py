from dataclasses import replace

import numpy as np
import pytest

from facerec.decision.decision import Outcome
from facerec.video.annotation import annotate, colour_of, words_of
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


@pytest.mark.parametrize(
    ("who", "frames", "heading", "detail"),
    [
        ("ada", 1, "looking ...", "#1  1.00 / 0.50  1 look"),
        ("ada", 5, "looking ...", "#1  1.00 / 0.50  2 looks"),
        ("ada", 20, "Ada", "#1  1.00 / 0.50  after 0.24 s"),
        ("stranger", 40, "unknown", "#1  0.00 / 0.50  after 1.08 s"),
        ("blurred", 5, "looking ...", "#1  blurred"),
    ],
)
def test_the_state_of_the_evidence_is_written(
    who: str, frames: int, heading: str, detail: str
) -> None:
    shown = Shown("ada", 320, blurred=True) if who == "blurred" else Shown(who, 320)
    observation = play(lambda number: [shown], frames).observations[-1]
    assert words_of(observation.tracks[0]) == (heading, detail)


def test_who_is_undecided_is_not_called_unknown() -> None:
    (track,) = play(lambda number: [Shown("stranger", 320)], 40).observations[-1].tracks
    assert track.evidence.verdict is not None
    decision = replace(track.evidence.verdict.decision, outcome=Outcome.UNDECIDED)
    verdict = replace(track.evidence.verdict, decision=decision)
    undecided = replace(track, evidence=replace(track.evidence, verdict=verdict))
    assert words_of(undecided)[0] == "undecided"
    again = undecided.evidence.add(
        np.array([0, 0, 1], np.float32), 0.9, clock_s=9, nearest="ada", fused=decision
    )
    assert words_of(replace(track, evidence=again)) == ("undecided", "#1  0.00 / 0.50  1 look")


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


def drawn(name: str) -> np.ndarray:
    observation = play(lambda number: [Shown("ada", 320)], 20).observations[-1]
    (track,) = observation.tracks
    return annotate(replace(observation, tracks=(replace(track, name=name),)), camera="gate")


def test_names_of_any_length_are_written() -> None:
    for name in ("", "a" * 300):
        assert drawn(name).shape == (200, 640, 3)


@pytest.mark.parametrize(
    ("one", "other"), [("Zoë", "Zoé"), ("Łuk", "Ćuk"), ("Ира", "Яна"), ("名前", "李明")]
)
def test_names_of_many_scripts_are_written_and_not_as_question_marks(one: str, other: str) -> None:
    assert (drawn(one) != drawn(other)).any()
    assert (drawn(one) != drawn("?" * len(one))).any()
