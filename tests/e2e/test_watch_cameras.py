"""`facerec watch` on cameras that fail."""

import signal
import subprocess
from pathlib import Path
from time import sleep

from tests.e2e.conftest import COMMAND, Facerec
from tests.integration.video.films import write_film
from tests.integration.video.rtsp_server import rtsp_camera


def test_ctrl_c_ends_the_watch_of_a_silent_camera_in_order(own_home: Path, tmp_path: Path) -> None:
    film = tmp_path / "seen.mkv"
    with rtsp_camera() as server:
        command = [COMMAND, "watch", server.url, "--output", film, "--home", own_home, "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            while not server.sent_s and process.poll() is None:
                sleep(0.05)
            sleep(3)
            server.stall()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert b"Traceback" not in err
    assert film.stat().st_size > 0
    assert server.transports[0] == "tcp"


def test_a_camera_that_cannot_be_reached_is_one_clear_line(
    facerec: Facerec, tmp_path: Path
) -> None:
    with rtsp_camera(password="geheim") as server:
        wrong = server.url.replace("geheim", "geraten")
        done = facerec("watch", write_film(tmp_path / "good.mp4", 5), wrong, "--json")
    assert done.code == 1
    assert "password" in done.err
    assert "geraten" not in done.err
