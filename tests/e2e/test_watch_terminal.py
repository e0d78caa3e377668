"""`facerec watch` before a terminal: a real one, as a pseudo-terminal."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import COMMAND
from tests.integration.video.films import write_film
from tests.integration.video.rtsp_server import rtsp_camera

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


class Terminal:
    """A command in a terminal of 120 x 30 characters; `shown` is all that it wrote so far."""

    def __init__(self, process: "subprocess.Popen[bytes]", side: int) -> None:
        self.process = process
        self._side = side
        self.shown = ""

    def read_until(self, text: str) -> None:
        """Read until some text was shown; fail where the command ends without."""
        while text not in self.plain:
            assert self._read(), f"{text!r} was never shown: {self.plain}"

    def read_to_end(self) -> int:
        """Read all, and return the exit code."""
        while self._read():
            pass
        return self.process.wait(60)

    def type(self, keys: bytes) -> None:
        os.write(self._side, keys)

    @property
    def plain(self) -> str:
        """What was shown, without the codes that colour it and move the cursor."""
        return ESCAPES.sub("", self.shown)

    def _read(self) -> bool:
        with suppress(OSError):  # how Linux says that the other side was closed
            data = os.read(self._side, 65536)
            self.shown += data.decode("utf-8", errors="replace")
            return bool(data)
        return False


@contextmanager
def in_terminal(
    home: Path, arguments: Sequence[object], term: str = "xterm-256color"
) -> Iterator[Terminal]:
    side, command_side = pty.openpty()
    fcntl.ioctl(command_side, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
    plain = {"NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS", "LINES"}
    environment = {key: value for key, value in os.environ.items() if key not in plain}
    process = subprocess.Popen(
        [COMMAND, "watch", *map(str, arguments), "--home", str(home)],
        stdin=command_side,
        stdout=command_side,
        stderr=command_side,
        env=environment | {"TERM": term},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(command_side)
    try:
        yield Terminal(process, side)
    finally:
        process.kill()
        process.wait()
        os.close(side)


@pytest.fixture
def clip(data_dir: Path) -> Path:
    return data_dir / "gate_clips" / "eat.mkv"


def test_a_terminal_shows_each_camera_and_its_last_decision(
    own_home: Path, clip: Path, tmp_path: Path
) -> None:
    other = write_film(tmp_path / "yard.mp4", 25, fps=10)
    with in_terminal(own_home, [clip, other, "--realtime"]) as terminal:
        assert terminal.read_to_end() == 0, terminal.plain
    shown = terminal.plain
    assert "Traceback" not in shown
    for heading in ("camera", "state", "fps", "dropped", "in view", "decisions", "last"):
        assert heading in shown
    assert re.search(r"eat +live +\d+\.\d +\d+ +(looking|unknown)", shown), shown
    assert re.search(r"yard +live +\d+\.\d +\d+ +0", shown), shown
    decided = re.search(r"(\d\d:\d\d:\d\d)  eat #\d+  unknown", shown)
    assert decided, "the decision stands above the table"
    # What stays at the end: both films over, and what came of them.
    last = shown[shown.rindex("camera") :]
    assert re.search(rf"eat +ended +\d+ +1 +{decided[1]} unknown", last), last
    assert re.search(r"yard +ended +\d+ +0", last), last
    assert terminal.shown.count(HIDE_CURSOR) == terminal.shown.count(SHOW_CURSOR) == 1
    assert terminal.shown.rindex(SHOW_CURSOR) > terminal.shown.index(HIDE_CURSOR)


def test_ctrl_c_in_the_terminal_ends_in_order_and_gives_the_cursor_back(
    own_home: Path, clip: Path
) -> None:
    with in_terminal(own_home, [clip, "--realtime"]) as terminal:
        terminal.read_until("eat #1  unknown")
        terminal.type(b"\x03")
        assert terminal.read_to_end() == 0, terminal.plain
    assert "Traceback" not in terminal.plain
    assert SHOW_CURSOR in terminal.shown


def test_json_is_the_same_before_a_terminal(own_home: Path, tmp_path: Path, clip: Path) -> None:
    with in_terminal(own_home, [clip, "--json", "--max-frames", 40]) as terminal:
        assert terminal.read_to_end() == 0
    assert HIDE_CURSOR not in terminal.shown
    records = [line for line in terminal.plain.splitlines() if line.startswith("{")]
    assert [json.loads(line)["data"]["outcome"] for line in records] == ["unknown"]


def test_a_terminal_that_cannot_redraw_gets_lines(own_home: Path, clip: Path) -> None:
    with in_terminal(own_home, [clip, "--max-frames", 40], term="dumb") as terminal:
        assert terminal.read_to_end() == 0
    assert HIDE_CURSOR not in terminal.shown
    assert "eat #1  unknown" in terminal.plain
    assert "dropped" not in terminal.plain


def test_a_camera_that_is_lost_is_shown_so_until_it_is_back(own_home: Path) -> None:
    with (
        rtsp_camera() as server,
        in_terminal(own_home, [server.url, "--camera-name", "gate"]) as terminal,
    ):
        terminal.read_until("gate    live ")
        server.cut()
        terminal.read_until("gate    lost ")
        terminal.read_until("rtsp://127.0.0.1")  # the table says what is wrong
        server.restore()
        terminal.shown = ""
        terminal.read_until("gate    live ")
        terminal.type(b"\x03")
        assert terminal.read_to_end() == 0, terminal.plain


def test_a_source_that_is_no_film_is_said_before_the_screen_is_taken(
    own_home: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(b"no film")
    with in_terminal(own_home, [damaged]) as terminal:
        assert terminal.read_to_end() == 1
    assert HIDE_CURSOR not in terminal.shown
    assert "not a video" in terminal.plain
