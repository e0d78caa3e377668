"""``facerec bench serve`` as a user types it: that it measures, not how fast this machine is."""

from pathlib import Path

import cv2
import pytest

from facerec.cli.bench_serve import report
from facerec_identity.load_benchmark import LoadTimes, Throughput
from tests.e2e.conftest import Facerec


def film_of(picture: Path, path: Path) -> Path:
    """Film a picture as a gate's camera would."""
    image = cv2.resize(cv2.imread(str(picture)), (640, 480))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 480))
    for _ in range(20):
        writer.write(image)
    writer.release()
    return path


@pytest.mark.slow
def test_the_server_is_measured_under_every_load(
    facerec: Facerec, pictures: dict[str, Path], own_home: Path, tmp_path: Path
) -> None:
    """With a picture and frames of a film."""
    film = film_of(pictures["obama-2012"], tmp_path / "gate.avi")
    done = facerec("bench", "serve", film, pictures["collins"], "--seconds", 1, "--json")
    assert done.code == 0, done.err
    times = done.record
    assert (times["decoys"], times["people"]) == (10_000, 2)
    assert 0 < times["look_up_ms_p50"] < times["lone_ms_p50"]
    assert times["overhead_ms_p50"] < times["lone_ms_p50"]
    # Without batching and with it, each beside analysis alone.
    assert len(times["each_per_s"]) == len(times["each_share"]) == 2
    for share, (least, most) in zip(times["each_share"], times["each_share_range"], strict=True):
        assert 0 < least <= share <= most
    assert all(rate > 0 for rate in (times["alone_per_s"], *times["each_per_s"]))
    assert times["half_load_ms_p99"] > 0 and times["half_load_random_ms_p99"] > 0
    # Three times what it can do for a second: everything is answered or refused, nothing breaks.
    answers = times["overload_answers"]
    assert answers["OK"] >= 1
    assert answers.keys() <= {"OK", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"}
    assert times["overload_longest_s"] > 0
    assert times["recovery_s"] > 0
    assert [path.name for path in own_home.iterdir()] == ["models"]  # it has a home of its own


def test_each_figure_stands_beside_its_goal() -> None:
    throughput = Throughput(50, (45, 40), (0.9, 0.8), each_share_range=((0.85, 0.97), (0.7, 0.9)))
    times = LoadTimes(
        look_up_ms_p50=1.5,
        lone_ms_p50=20,
        overhead_ms_p50=3,
        half_load_ms_p99=50,
        half_load_random_ms_p99=70,
        overload_answers={"OK": 7, "RESOURCE_EXHAUSTED": 9},
        overload_longest_s=0.9,
        refusal_ms_p50=None,
        recovery_s=0.1,
    )
    lines = report(throughput, times, 2).splitlines()
    assert lines[0] == "10,000 people with made-up templates and 2 of the pictures enrolled"
    goals = {" ".join(line.split()) for line in lines}
    assert "busy server 45.0 calls/s, 0.90 of that >= .85" in goals
    assert "from 0.85 to 0.97 in rounds" in goals
    assert "call without analysis, median 1.50 ms <= 2 ms" in goals
    assert "half load, 99 of 100 calls 2.5 lone calls <= 4" in goals
    assert "half load at random, 99 of 100 3.5 lone calls" in goals
    assert "three times, longest call 0.90 s <= 3 s" in goals
    assert "until a lone call is usual again 0.10 s <= 2 s" in goals


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
