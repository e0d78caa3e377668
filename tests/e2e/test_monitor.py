"""`facerec monitor`, on a camera that streams, one that is not there, and a film."""

import json
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import cv2
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from facerec.video import open_source
from tests.e2e.conftest import COMMAND, Facerec
from tests.integration.video.films import write_film
from tests.integration.video.rtsp_server import RtspServer, rtsp_camera
from tests.integration.video.test_sinks import free_port


class Running:
    """A monitor that runs, and what it wrote."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port
        self.log: list[str] = []
        assert process.stderr is not None
        self._reader = Thread(target=self.log.extend, args=(process.stderr,), daemon=True)
        self._reader.start()

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def cameras(self) -> dict[str, dict[str, Any]]:
        return {camera["camera"]: camera for camera in json.loads(self.get("/cameras")[1])}

    def metric(self, name: str, **labels: str) -> float:
        families = text_string_to_metric_families(self.get("/metrics")[1])
        samples = [s for family in families for s in family.samples if s.name == name]
        values = [s.value for s in samples if labels.items() <= s.labels.items()]
        assert len(values) <= 1, f"{name} needs more labels"
        return values[0] if values else 0.0

    def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            assert self.process.poll() is None, self.log
            sleep(0.05)

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait() == 0, self.log
        self._reader.join()
        assert not any("Traceback" in line for line in self.log), self.log


@contextmanager
def monitor(configuration: Path, home: Path, port: int) -> Iterator[Running]:
    command = [COMMAND, "monitor", "--config", configuration, "--home", home, "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        running = Running(process, port)
        try:
            running.until(lambda: _listens(running))
            yield running
            running.end()
        finally:
            process.kill()


def _listens(running: Running) -> bool:
    try:
        return running.get("/livez") == (200, "ok\n")
    except urllib.error.URLError:
        return False


@pytest.fixture
def server(data_dir: Path) -> Iterator[RtspServer]:
    """A camera that shows a person at the gate, again and again."""
    with open_source(str(data_dir / "gate_clips" / "eat.mkv")) as source:
        pictures = [frame.image_bgr for frame in source]
    with rtsp_camera(lambda number: pictures[number % len(pictures)], fps=15) as running:
        yield running


def configuration(folder: Path, port: int, **cameras: str) -> Path:
    lines = [f'listen = "127.0.0.1:{port}"', f'send = ["{folder / "events.jsonl"}"]']
    for name, rest in cameras.items():
        lines += [f"[cameras.{name}]", rest]
    lines += ["[gates.main]", 'galleries = ["default"]', "min_face_px = 60"]
    path = folder / "monitor.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_cameras_are_watched_lost_found_and_configured_anew(
    facerec: Facerec, own_home: Path, server: RtspServer, tmp_path: Path
) -> None:
    port = free_port()
    dead = f'url = "rtsp://ada:geheim@127.0.0.1:{free_port()}/live"'
    gate = f'url = "{server.url}"\ngate = "main"'
    path = configuration(tmp_path, port, north=gate, south=dead)
    events = tmp_path / "events.jsonl"
    with monitor(path, own_home, port) as running:
        running.until(lambda: running.cameras()["north"]["state"] == "live")
        unknown = {"gate": "main", "outcome": "unknown"}
        running.until(lambda: running.metric("facerec_gate_answers_total", **unknown) >= 1)
        assert events.exists()
        assert running.get("/readyz")[0] == 503
        assert "south: connecting" in running.get("/readyz")[1]
        assert running.get("/nothing")[0] == 404
        assert running.metric("facerec_camera_state", camera="north", state="live") == 1

        server.cut()
        running.until(lambda: running.cameras()["north"]["state"] == "lost")
        server.restore()
        running.until(lambda: running.cameras()["north"]["state"] == "live")
        assert running.metric("facerec_camera_connections_total", camera="north") == 2

        path.write_text("gates = 7", encoding="utf-8")
        running.process.send_signal(signal.SIGHUP)
        refused = ("facerec_configuration_reloads_total", "refused")
        running.until(lambda: running.metric(refused[0], outcome=refused[1]) == 1)
        assert set(running.cameras()) == {"north", "south"}, "a bad file changes nothing"

        film = write_film(tmp_path / "film.mp4", 25)
        configuration(tmp_path, port, north=gate, east=f'url = "{film}"')
        running.process.send_signal(signal.SIGHUP)
        running.until(lambda: set(running.cameras()) == {"north", "east"})
        assert running.cameras()["north"]["connections"] == 2, "what did not change goes on"
        running.until(lambda: running.cameras()["east"]["state"] == "ended")
        running.until(lambda: running.get("/readyz") == (200, "ok\n"))
    assert any("configuration refused" in line for line in running.log)
    assert "geheim" not in "".join(running.log)
    told = [json.loads(line)["data"] for line in events.read_text("utf-8").splitlines()]
    assert {(data["camera"], data["gate"]) for data in told} == {("north", "main")}
    assert {data["gate_outcome"] for data in told} <= {"unknown", "retry"}
    journal = facerec("audit", "list", "--json").out
    assert journal.count('"authorized"') == len(told)


def test_a_camera_that_freezes_is_reported(own_home: Path, tmp_path: Path) -> None:
    still = np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8)
    still = cv2.GaussianBlur(still, (0, 0), 3)
    port = free_port()
    with rtsp_camera(lambda number: still) as camera:
        path = configuration(tmp_path, port, north=f'url = "{camera.url}"')
        with monitor(path, own_home, port) as running:
            running.until(lambda: running.cameras()["north"]["picture_fault"] == "frozen")
            assert running.metric("facerec_camera_fault", camera="north", fault="frozen") == 1
            assert running.get("/readyz")[0] == 503


def test_a_file_is_checked_without_watching_anything(facerec: Facerec, tmp_path: Path) -> None:
    path = configuration(tmp_path, 0, north='url = "rtsp://camera/live"\ngate = "main"')
    good = facerec("monitor", "--config", path, "--check", "--json")
    assert (good.code, good.record) == (0, {"cameras": 1, "gates": 1})
    path.write_text(path.read_text("utf-8").replace("min_face_px", "min_face"), encoding="utf-8")
    bad = facerec("monitor", "--config", path, "--check")
    assert bad.code == 1
    assert "did you mean gates.main.min_face_px?" in bad.err
    assert len(bad.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('listen = "nowhere"', "HOST:PORT"),
        ('send = ["ftp://host/x"]', "mqtt://HOST/TOPIC"),
    ],
)
def test_a_monitor_that_cannot_run_says_why_and_ends(
    facerec: Facerec, tmp_path: Path, line: str, says: str
) -> None:
    film = write_film(tmp_path / "film.mp4", 5)
    path = tmp_path / "monitor.toml"
    path.write_text(f'{line}\n[cameras.north]\nurl = "{film}"\n', encoding="utf-8")
    done = facerec("monitor", "--config", path)
    assert done.code == 1
    assert says in done.err


def test_a_gallery_that_is_not_there_is_said_before_anything_runs(
    facerec: Facerec, tmp_path: Path
) -> None:
    film = write_film(tmp_path / "film.mp4", 5)
    path = tmp_path / "monitor.toml"
    path.write_text(f'[cameras.a]\nurl = "{film}"\ngalleries = ["nobody"]\n', encoding="utf-8")
    for flags in ([], ["--check"]):  # the first of them makes the home's gallery
        done = facerec("monitor", "--config", path, *flags)
        assert done.code == 1
        assert "nobody" in done.err
