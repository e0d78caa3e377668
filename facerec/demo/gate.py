"""A server of its own process, asked as a gate would ask it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from time import perf_counter

from facerec.client import GateClient
from facerec.demo.check import Check
from facerec.errors import ServiceError

__all__ = ["GateQuestion", "ask_identify", "ask_verify", "connect", "running_server"]

_READY_WITHIN_S = 60.0
_STOPS_WITHIN_S = 20.0
_CALL_WITHIN_S = 20.0

GateQuestion = tuple[str, bytes]
"""Whom a picture shows, and the encoded picture."""


@contextmanager
def running_server(home: Path, log: Path) -> Iterator[str]:
    """Run ``facerec serve`` on a free port of this machine; give its ``HOST:PORT``.

    Args:
        home: The server's home.
        log: File for what the server says on stderr.

    Raises:
        ServiceError: it did not become ready.
    """
    code = "from facerec.cli.main import main; main()"
    arguments = ["serve", "--listen", "127.0.0.1:0", "--json", "--home", str(home)]
    with log.open("wb") as stderr:
        server = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
        try:
            yield _address(server, log)
        finally:
            _stop(server)


def ask_verify(
    gate: GateClient, picture: GateQuestion, profile_id: str, claimed: str, *, expected: str
) -> Check:
    """Ask whether a picture shows the person that somebody claims to be."""
    began_s = perf_counter()
    answer = gate.verify(picture[1], profile_id)
    return Check(
        step="Verify",
        subject=f"{picture[0]} as {claimed}",
        expected=expected,
        answered=answer.outcome.value,
        similarity=answer.similarity,
        threshold=answer.threshold,
        seconds=perf_counter() - began_s,
    )


def ask_identify(gate: GateClient, picture: GateQuestion, *, expected: str) -> Check:
    """Ask who the main face of a picture is."""
    began_s = perf_counter()
    answer = gate.identify(picture[1], main_only=True)
    seconds = perf_counter() - began_s
    face = answer.faces[0] if answer.faces else None
    answered = "no face" if face is None else face.display_name or face.outcome.value
    return Check(
        step="Identify",
        subject=picture[0],
        expected=expected,
        answered=answered,
        similarity=None if face is None else face.similarity,
        threshold=None if face is None else face.threshold,
        seconds=seconds,
    )


def connect(address: str) -> GateClient:
    """Return a client of a server."""
    return GateClient(address, timeout_s=_CALL_WITHIN_S)


def _address(server: "subprocess.Popen[bytes]", log: Path) -> str:
    """Wait for the line in which the server says where it listens."""
    lines: Queue[bytes] = Queue()
    stdout = server.stdout
    if stdout is None:
        raise ServiceError("the demo's server has no output to read its address from")
    Thread(target=lambda: lines.put(stdout.readline()), daemon=True).start()
    try:
        line = lines.get(timeout=_READY_WITHIN_S)
        return str(json.loads(line)["listening"])
    except (Empty, ValueError, KeyError) as error:
        raise ServiceError(f"the demo's server did not become ready; see {log}") from error


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """End the server in order, or else at once."""
    server.terminate()
    try:
        server.wait(_STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    if server.stdout is not None:
        server.stdout.close()
