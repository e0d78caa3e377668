"""A real ``facerec serve`` in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

FACEREC = Path(sysconfig.get_path("scripts")) / "facerec"


class ServerProcess:
    """Starts on entering, once ready; is stopped on leaving if it still runs.

    Args:
        home: FACEREC_HOME.
        settings: Further environment, such as ``FACEREC_SERVER__REFLECTION="false"``.
    """

    def __init__(self, home: Path, **settings: str) -> None:
        self._environment = {**os.environ, "FACEREC_HOME": str(home), **settings}
        self._process: subprocess.Popen[str] | None = None
        # A file, not a pipe: nobody reads it while the server runs, and a full pipe would block it.
        self._messages = tempfile.TemporaryFile("w+")
        self.address = ""
        self._listen = "127.0.0.1:0"

    def listening_at(self, address: str) -> Self:
        """Have it listen at an address instead of a free one."""
        self._listen = address
        return self

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [FACEREC, "serve", "--listen", self._listen, "--json"],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=self._messages,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            messages = self.messages()
            self.__exit__(None, None, None)
            raise AssertionError(f"the server did not start: {messages}")
        self.address = json.loads(line)["listening"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._messages.close()

    @property
    def process(self) -> "subprocess.Popen[str]":
        assert self._process is not None
        return self._process

    def messages(self) -> str:
        """What it has written to stderr so far."""
        self._messages.seek(0)
        return self._messages.read()

    def memory_kib(self, what: str = "VmHWM") -> int:
        """Resident memory: the highest so far, or ``VmRSS`` now."""
        text = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        line = next(line for line in text.splitlines() if line.startswith(what))
        return int(line.split()[1])

    def mapped_files(self) -> str:
        return Path(f"/proc/{self.process.pid}/maps").read_text("utf-8")


def facerec(*arguments: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the command line to its end."""
    return subprocess.run(
        [FACEREC, *arguments],
        env={**os.environ, "FACEREC_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def python(script: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, script, *arguments], capture_output=True, text=True, check=False
    )
