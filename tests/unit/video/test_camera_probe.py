"""What is said of a camera's view, case by case."""

from dataclasses import replace

import pytest

from facerec.decision.decision import Reason
from facerec.video.camera_health import PictureFault
from facerec.video.camera_probe import CameraFitness, ProbeSample, judge_camera

GOOD = ProbeSample(0.5, 120.0, None, 90.0, (), searched=True, sharpness=0.9)


def seconds(sample: ProbeSample, *, fps: float = 25.0, count: int = 50) -> list[ProbeSample]:
    return [replace(sample, arrived_s=0.5 + index / fps) for index in range(count)]


def test_a_good_view_is_fit_and_needs_no_advice() -> None:
    found = judge_camera(seconds(GOOD))
    assert (found.fitness, found.advice) == (CameraFitness.FIT, ())
    assert found.first_frame_s == 0.5
    assert found.fps == pytest.approx(25)
    assert found.face_px == (90, 90, 90)
    assert found.sharpness == 0.9


@pytest.mark.parametrize(
    ("change", "fitness", "advice"),
    [
        ({"face_px": None}, CameraFitness.NO_FACE, "stand where people will stand"),
        ({"face_px": 45.0}, CameraFitness.LIMITED, "45 px wide"),
        ({"flaws": (Reason.BLURRED,)}, CameraFitness.UNFIT, "set the focus"),
        ({"flaws": (Reason.TURNED_AWAY,)}, CameraFitness.UNFIT, "eye height"),
        ({"brightness": 20.0}, CameraFitness.FIT, "add light"),
        ({"brightness": 240.0}, CameraFitness.FIT, "too light"),
        ({"fault": PictureFault.FROZEN}, CameraFitness.UNFIT, "The pictures are frozen"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    change: dict[str, object], fitness: CameraFitness, advice: str
) -> None:
    found = judge_camera(seconds(replace(GOOD, **change)))  # type: ignore[arg-type]
    assert found.fitness is fitness
    assert advice in found.advice[0]


def test_few_frames_a_second_limit_a_view() -> None:
    found = judge_camera(seconds(GOOD, fps=2))
    assert found.fitness is CameraFitness.LIMITED
    assert "2.0 frames a second" in found.advice[0]


def test_a_gap_is_reported() -> None:
    late = [replace(sample, arrived_s=sample.arrived_s + 3) for sample in seconds(GOOD)[25:]]
    assert judge_camera([*seconds(GOOD)[:25], *late]).longest_gap_s == pytest.approx(3.04)


def test_faces_that_are_fit_now_and_then_limit_a_view() -> None:
    blurred = replace(GOOD, flaws=(Reason.BLURRED,))
    found = judge_camera([*seconds(GOOD, count=20), *seconds(blurred, count=30)])
    assert found.fitness is CameraFitness.LIMITED
    assert found.fit_share == pytest.approx(0.4)
    assert found.flaws == ((Reason.BLURRED, 30),)


def test_frames_that_were_not_searched_say_nothing_of_faces() -> None:
    unsearched = replace(GOOD, face_px=None, searched=False)
    found = judge_camera([*seconds(GOOD, count=10), *seconds(unsearched, count=40)])
    assert (found.searched, found.with_face) == (10, 10)
    assert found.fitness is CameraFitness.FIT
