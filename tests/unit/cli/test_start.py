"""What the command loads before it knows what it is asked for."""

import subprocess
import sys

HEAVY = {"cv2", "numpy", "pydantic", "sqlalchemy", "faiss", "grpc", "keras", "rich.progress"}


def test_the_command_line_loads_no_runtime() -> None:
    """Each of these costs every command, and ``facerec --help``, up to half a second."""
    script = "import sys, facerec.cli.app; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()
