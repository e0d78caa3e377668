"""Several processes that serve one address: the kernel spreads connections over them.

Each is a whole server; what they share is the gallery on disk, of which every search sees the
latest revision. One that dies is started again, while the others answer.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from facerec.errors import ServiceError
from facerec.settings import ServerSettings, Settings
from facerec_identity.listen_address import ListenAddress

__all__ = ["serve_in_processes"]

_FACEREC = "from facerec.cli.main import main; main()"
_PAUSE_S = 1.0
"""Before one that died is started again: one that dies at once must not eat the machine."""
_LOOK_EVERY_S = 0.1


@dataclass(eq=False)
class _Worker:
    """A process and what it needs to be started again."""

    environment: Mapping[str, str]
    process: "subprocess.Popen[str]"
    died_s: float | None = None


def serve_in_processes(settings: Settings, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then let all processes drain.

    Args:
        settings: All settings; ``server.workers`` says how many processes.
        on_ready: Called once with ``HOST:PORT`` when all processes answer calls.

    Raises:
        ServiceError: the address is taken or not allowed, or a process does not start.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with _reserved(settings.server) as port:
        address = ListenAddress(ListenAddress.parse(settings.server.listen).host, port)
        workers: list[_Worker] = []
        try:
            for index in range(settings.server.workers):
                environment = _environment(settings, address, index)
                workers.append(_Worker(environment, _start(environment)))
            for worker in workers:
                _await_ready(worker.process)
            on_ready(str(address))
            while not stop.wait(_LOOK_EVERY_S):
                for worker in workers:
                    _revive(worker)
        finally:
            _end(workers)


class _reserved:
    """Holds a port for the processes; a socket that does not listen is given no connection."""

    def __init__(self, settings: ServerSettings) -> None:
        self._address = ListenAddress.parse(settings.listen)
        self._socket = socket.socket(
            socket.AF_INET6 if ":" in self._address.host else socket.AF_INET, socket.SOCK_STREAM
        )

    def __enter__(self) -> int:
        self._address.require_free()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind((self._address.host, self._address.port))
        return int(self._socket.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def _environment(settings: Settings, address: ListenAddress, index: int) -> Mapping[str, str]:
    """Return the environment of a process: its own metrics' port, and an address to share."""
    environment = {
        **os.environ,
        "FACEREC_HOME": str(settings.home),
        "FACEREC_SERVER__LISTEN": str(address),
        "FACEREC_SERVER__WORKERS": "1",
        "FACEREC_SERVER__SHARE_PORT": "true",
    }
    if settings.server.metrics_listen is not None:
        metrics = ListenAddress.parse(settings.server.metrics_listen)
        port = metrics.port + index if metrics.port else 0
        environment["FACEREC_SERVER__METRICS_LISTEN"] = str(ListenAddress(metrics.host, port))
    return environment


def _start(environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _FACEREC, "serve", "--json"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


def _await_ready(process: "subprocess.Popen[str]") -> None:
    line = process.stdout.readline() if process.stdout is not None else ""
    if not line:
        raise ServiceError("a process of the server did not start; it said why above")
    json.loads(line)


def _revive(worker: _Worker) -> None:
    """Start a process again that has died a moment ago."""
    if worker.process.poll() is None:
        return
    now_s = time.monotonic()
    if worker.died_s is None:
        worker.died_s = now_s
    elif now_s - worker.died_s >= _PAUSE_S:
        if worker.process.stdout is not None:
            worker.process.stdout.close()
        worker.process, worker.died_s = _start(worker.environment), None


def _end(workers: list[_Worker]) -> None:
    """Have all processes drain at the same time, and wait for them."""
    for worker in workers:
        worker.process.terminate()
    for worker in workers:
        worker.process.wait()
        if worker.process.stdout is not None:
            worker.process.stdout.close()
