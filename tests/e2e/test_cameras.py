"""`facerec cameras probe`, on films, a stream and an address where nothing is."""

from pathlib import Path

import numpy as np

from tests.e2e.conftest import Facerec
from tests.integration.video.films import write_film
from tests.integration.video.rtsp_server import rtsp_camera
from tests.integration.video.test_sinks import free_port


def test_a_person_at_the_gate_makes_a_view_fit(facerec: Facerec, data_dir: Path) -> None:
    clip = data_dir / "gate_clips" / "milk.mkv"
    done = facerec("cameras", "probe", clip, "--json")
    assert done.code == 0, done.err
    found = done.record
    assert (found["width"], found["height"], found["codec"]) == (640, 480, "h264")
    assert (found["fitness"], found["advice"], found["fault"]) == ("fit", [], None)
    assert 55 < found["face_px"][0] <= found["face_px"][1] <= found["face_px"][2] < 70
    assert 0.5 < found["sharpness"] <= 1
    shown = facerec("cameras", "probe", clip)
    assert f"blur      sharpness of faces {found['sharpness']:.2f} of 1" in shown.out
    assert "fitness   fit" in shown.out
    assert "640x480, h264" in shown.out


def test_a_stream_that_stands_still_is_unfit(facerec: Facerec) -> None:
    still = np.kron(np.arange(12, dtype=np.uint8).reshape(3, 4) * 20, np.ones((80, 80), np.uint8))
    picture = np.stack([still] * 3, axis=2)
    with rtsp_camera(lambda number: picture, fps=20, password="geheim") as server:
        done = facerec("cameras", "probe", server.url, "--json", "--seconds", "5")
        assert done.code == 0, done.err
    assert "geheim" not in done.out
    found = done.record
    assert (found["fault"], found["fitness"], found["live"]) == ("frozen", "unfit", True)
    assert 10 < found["fps"] < 30
    assert 0 < found["first_frame_s"]


def test_a_view_without_people_is_said_to_be_one(facerec: Facerec, tmp_path: Path) -> None:
    done = facerec("cameras", "probe", write_film(tmp_path / "film.mp4", 20))
    assert done.code == 0, done.err
    assert "none seen" in done.out
    assert "blur      not known without a face" in done.out


def test_an_address_where_nothing_is_is_one_clear_line(facerec: Facerec) -> None:
    done = facerec("cameras", "probe", f"rtsp://ada:geheim@127.0.0.1:{free_port()}/live")
    assert done.code == 1
    assert "cannot be opened" in done.err
    assert "geheim" not in done.err
    assert len(done.err.splitlines()) == 1
