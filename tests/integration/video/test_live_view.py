"""What stands above the table of cameras while they are watched."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from facerec.cli.live_view import LiveView
from facerec.errors import SourceError
from facerec.video import open_source
from tests.integration.video.films import write_film

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.mark.parametrize("one_terminal", [True, False], ids=["one terminal", "stderr elsewhere"])
def test_why_a_camera_failed_does_not_tear_the_table(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    one_terminal: bool,
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", str(int(one_terminal)))
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=100)
    with open_source(str(write_film(tmp_path / "gate.mp4", 3))) as source:
        with LiveView(console, [("gate", source)]) as view:
            view.end("gate", SourceError("the file cannot be read [any] more"))
    lines = ESCAPES.sub("", shown.getvalue()).splitlines()
    told = [n for n, line in enumerate(lines) if "the file cannot be read [any] more" in line]
    if one_terminal:
        assert len(told) == 1
        assert lines[told[0]].strip() == "facerec: gate: the file cannot be read [any] more"
        assert any(re.match(r"gate +failed", line) for line in lines[told[0] :])
        assert capsys.readouterr().err == ""
    else:
        assert told == []
        assert "cannot be read [any] more" in capsys.readouterr().err
