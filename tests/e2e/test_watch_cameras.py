"""`facerec watch` on cameras that fail."""

import json
import signal
import subprocess
from pathlib import Path
from time import sleep

import pytest

from tests.e2e.conftest import COMMAND, Facerec
from tests.integration.video.films import write_film
from tests.integration.video.rtsp_server import rtsp_camera
from tests.integration.video.test_sinks import SECRET, Receiver, free_port


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


def test_events_go_to_a_file_and_to_a_webhook_that_comes_up_later(
    own_home: Path, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEREC_WATCH__WEBHOOK_SECRET", SECRET)
    receiver = Receiver(free_port())
    hook = f"http://127.0.0.1:{receiver.port}/events"
    file = tmp_path / "events.jsonl"
    clip = data_dir / "gate_clips" / "eat.mkv"
    command = [COMMAND, "watch", clip, "--json", "--home", own_home, "--send", hook]
    first = subprocess.run([*command, "--send", file], capture_output=True, text=True, check=True)
    printed = [json.loads(line) for line in first.stdout.splitlines()]
    assert printed
    assert [json.loads(line) for line in file.read_text("utf-8").splitlines()] == printed
    assert not receiver.received
    told = [line for line in first.stderr.splitlines() if hook in line]
    assert len(told) == 1, first.stderr
    assert f"{len(printed)} event(s) wait" in told[0]
    assert "Connection refused" in told[0]
    film = write_film(tmp_path / "short.mp4", 5)
    with receiver.up():  # the next run delivers what waits
        again = [COMMAND, "watch", film, "--home", own_home, "--send", hook]
        subprocess.run(again, capture_output=True, check=True)
    assert receiver.received == [event["id"] for event in printed]


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("ftp://host/events", "mqtt://HOST/TOPIC"),
        ("mqtt://host", "no broker and topic"),
        ("https://host/events", "WEBHOOK_SECRET"),
    ],
)
def test_a_destination_that_cannot_be_is_said(
    facerec: Facerec, tmp_path: Path, where: str, says: str
) -> None:
    done = facerec("watch", write_film(tmp_path / "film.mp4", 5), "--send", where)
    assert done.code == 1
    assert says in done.err
