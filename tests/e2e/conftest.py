"""Running the command as a user does."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

COMMAND = str(Path(sys.executable).with_name("facerec"))


@dataclass(frozen=True)
class Finished:
    """What a command left: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> Any:
        """The one JSON value of stdout."""
        return json.loads(self.out)

    @property
    def records(self) -> list[Any]:
        """The JSON values of stdout, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Facerec = Callable[..., Finished]


@pytest.fixture
def own_home(home: Path, tmp_path: Path) -> Path:
    """A home with the default networks and nobody enrolled, for one test."""
    path = tmp_path / "home"
    path.mkdir(mode=0o700)
    (path / "models").symlink_to(home / "models")
    return path


@pytest.fixture
def facerec(own_home: Path) -> Facerec:
    """Run ``facerec ARGUMENTS --home own_home`` to its end; it must never show a traceback."""

    def run(*arguments: object, home: Path | None = own_home) -> Finished:
        at_home = [] if home is None else ["--home", str(home)]
        done = subprocess.run(
            [COMMAND, *(str(argument) for argument in arguments), *at_home],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Finished(done.returncode, done.stdout, done.stderr)

    return run
