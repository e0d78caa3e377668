import numpy as np
import pytest

from facerec.decision.decision import Outcome
from facerec.demo.contact_sheet import Portrait, contact_sheet
from facerec.demo.key_frames import KeyFrame, KeyFrames
from facerec.video.annotation import colour_of
from tests.unit.video.scripted import Shown, play


def key_frame(shade: int, outcome: Outcome | None = None) -> KeyFrame:
    image = np.full((720, 1280, 3), (shade, 0, shade), np.uint8)
    return KeyFrame(image, 1.0, "title", "detail", outcome)


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (3, 1), (4, 2), (6, 2), (7, 3)])
def test_every_frame_has_a_place(count: int, rows: int) -> None:
    frames = [key_frame(40 + 20 * number) for number in range(count)]
    sheet = contact_sheet("title", (), frames)
    one_row = contact_sheet("title", (), frames[:1])
    headline = contact_sheet("title", (), ())
    row_px = one_row.shape[0] - headline.shape[0]
    assert sheet.shape == (headline.shape[0] + rows * row_px, headline.shape[1], 3)
    shades = {int(v) for v in np.unique(sheet[..., 0][sheet[..., 1] == 0])}
    assert {40 + 20 * number for number in range(count)} <= shades


def test_the_stripe_has_the_colour_of_the_outcome() -> None:
    sheet = contact_sheet("title", (), [key_frame(40, Outcome.UNKNOWN)])
    assert int(np.all(sheet == colour_of(Outcome.UNKNOWN), axis=-1).sum()) > 1000
    assert not np.all(sheet == colour_of(Outcome.IDENTIFIED), axis=-1).any()


@pytest.mark.parametrize("shape", [(50, 400, 3), (400, 50, 3), (1, 1, 3)])
def test_portraits_of_any_shape_become_squares(shape: tuple[int, int, int]) -> None:
    image = np.full(shape, (0, 0, 250), np.uint8)
    sheet = contact_sheet("title", [Portrait(image, "Ada", ("one", "two"))], ())
    red = np.all(sheet == (0, 0, 250), axis=-1)
    rows, columns = np.nonzero(red)
    assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=2)


def test_key_frames_hold_each_decision_and_how_things_stand_after() -> None:
    def script(number: int) -> list[Shown]:
        return [Shown("ada", 100), *([Shown("stranger", 400)] if number >= 25 else [])]

    kept = KeyFrames("gate", at_most=6)
    for observation in play(script, 150).observations:
        kept.see(observation)
    frames = kept.frames()
    assert [frame.outcome for frame in frames][:3] == [None, Outcome.IDENTIFIED, Outcome.UNKNOWN]
    assert frames[1].title == "Ada is identified"
    assert "nobody is named" in frames[2].title
    assert frames[3].title == "2 people at once"
    assert [f.clock_s for f in frames] == sorted(f.clock_s for f in frames)


def test_no_more_key_frames_are_kept_than_asked_for() -> None:
    kept = KeyFrames("gate", at_most=2)
    for observation in play(lambda number: [Shown("ada", 100)], 300).observations:
        kept.see(observation)
    assert len(kept.frames()) == 2
