"""`facerec bench monitor`, with two streams for a moment."""

from pathlib import Path

from tests.e2e.conftest import Facerec
from tests.integration.video.films import write_film


def test_streams_are_played_at_once_and_everybody_is_decided_on(
    facerec: Facerec, data_dir: Path
) -> None:
    clip = data_dir / "gate_clips" / "milk.mkv"
    done = facerec("bench", "monitor", "--source", clip, "--streams", 2, "--seconds", 2, "--json")
    assert done.code == 0, done.err
    record = done.record
    (ours,), (theirs,) = record["facerec"], record["opencv_frame_by_frame"]
    assert ours["streams"] == theirs["streams"] == 2
    assert ours["decisions"] >= 2
    assert ours["looked_at_fps"] > 0
    assert theirs["looked_at_fps"] > 0
    assert 0 <= ours["dropped_share"] < 1
    assert record["cost"]["deciding"] > 0
    assert record["cost"]["decided"] > 0


def test_a_film_without_people_is_refused(facerec: Facerec, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", 10)
    done = facerec("bench", "monitor", "--source", film)
    assert done.code == 1
    assert "no face" in done.err
