"""Ends that a command does not foresee: a full disk, a home that cannot be, Ctrl-C at any time."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import COMMAND, Facerec

FULL = Path("/dev/full")
"""Takes nothing, as a full disk does."""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["models", "list"], ["models", "list", "--json"]],
    ids=" ".join,
)
def test_an_output_that_takes_nothing_is_one_line(home: Path, arguments: list[str]) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            [COMMAND, "--home", str(home), *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "facerec: No space left on device; make room and give the command again\n"


def test_where_nothing_can_be_said_the_exit_code_says_it(home: Path) -> None:
    command = [COMMAND, "--home", str(home), "models", "list"]
    with FULL.open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=full, check=False)
    assert done.returncode == 1


def test_a_home_that_cannot_be_made_is_named(facerec: Facerec, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = facerec("models", "pull", "yunet", home=tmp_path / "file" / "home")
    assert done.code == 1
    assert done.err.startswith(f"facerec: {tmp_path / 'file' / 'home'}: Not a directory")
    assert done.err.count("\n") == 1


INTERRUPTED = """
import signal, sys

# Whoever starts the tests in the background has them ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

class Interrupting:
    def find_spec(self, name, *_):
        if name == "typer":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from facerec.cli.main import main
main()
"""


def test_ctrl_c_while_the_command_still_loads_is_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
