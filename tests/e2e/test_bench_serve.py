"""``facerec bench serve`` as a user types it: that it measures, not how fast this machine is."""

from pathlib import Path

import cv2

from tests.e2e.conftest import Facerec


def test_the_server_is_measured_under_every_load(
    facerec: Facerec, pictures: dict[str, Path], own_home: Path
) -> None:
    chosen = [pictures["obama-2012"], pictures["collins"]]
    done = facerec("bench", "serve", *chosen, "--seconds", 2, "--json")
    assert done.code == 0, done.err
    times = done.record
    assert (times["decoys"], times["people"]) == (10_000, 2)
    assert 0 < times["look_up_ms_p50"] < times["lone_ms_p50"]
    assert times["overhead_ms_p50"] < times["lone_ms_p50"]
    # Without batching and with it, each beside analysis alone.
    assert len(times["each_per_s"]) == len(times["each_share"]) == 2
    assert all(rate > 0 for rate in (times["alone_per_s"], *times["each_per_s"]))
    assert times["half_load_ms_p99"] > 0 and times["half_load_random_ms_p99"] > 0
    # Three times what it can do for two seconds: everything is answered or refused, nothing breaks.
    answers = times["overload_answers"]
    assert answers["OK"] >= 1
    assert answers.keys() <= {"OK", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"}
    assert times["overload_longest_s"] > 0
    assert times["recovery_s"] > 0
    assert [path.name for path in own_home.iterdir()] == ["models"]  # it has a home of its own


def test_frames_of_a_film_are_taken_as_jpeg(
    facerec: Facerec, pictures: dict[str, Path], tmp_path: Path
) -> None:
    """The report names a goal beside each figure that has one."""
    image = cv2.resize(cv2.imread(str(pictures["obama-2012"])), (640, 480))
    film = tmp_path / "gate.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 480))
    for _ in range(20):
        writer.write(image)
    writer.release()
    done = facerec("bench", "serve", film, "--seconds", 1)
    assert done.code == 0, done.err
    assert "10,000 people with made-up templates and 1 of the pictures enrolled" in done.out
    for goal in (">= .85", "<= 4", "<= 2 ms", "<= 3 s", "<= 2 s"):
        assert goal in done.out


def test_what_is_neither_a_picture_nor_a_film(facerec: Facerec, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see", "utf-8")
    done = facerec("bench", "serve", tmp_path / "notes.txt")
    assert done.code == 1
    assert "notes.txt" in done.err


def test_a_home_without_networks(
    facerec: Facerec, pictures: dict[str, Path], tmp_path: Path
) -> None:
    done = facerec("bench", "serve", pictures["collins"], home=tmp_path)
    assert done.code == 1
    assert "facerec models pull" in done.err
