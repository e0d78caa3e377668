"""The port on which the monitor says how it is doing."""

import json
import socket
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import CollectorRegistry

from facerec_identity.listen_address import ListenAddress
from facerec_monitor.camera_worker import CameraStatus

__all__ = ["HttpPort"]

_PLAIN = "text/plain; charset=utf-8"


class _Server6(ThreadingHTTPServer):
    """The same on an IPv6 address."""

    address_family = socket.AF_INET6


class HttpPort:
    """``/livez``, ``/readyz``, ``/cameras`` and ``/metrics`` over HTTP; they name no person."""

    def __init__(
        self,
        listen: str,
        registry: CollectorRegistry,
        statuses: Callable[[], Sequence[CameraStatus]],
    ) -> None:
        """Open the port and answer.

        Args:
            listen: ``HOST:PORT``; port 0 takes a free one.
            registry: What ``/metrics`` shows.
            statuses: What ``/cameras`` shows.

        Raises:
            ServiceError: the address is none, or the port is taken.
        """
        address = ListenAddress.parse(listen)
        address.require_free()
        answers: Mapping[str, Callable[[], tuple[int, str, bytes]]] = {
            "/livez": lambda: (200, _PLAIN, b"ok\n"),
            "/readyz": lambda: _readiness(statuses()),
            "/cameras": lambda: (200, "application/json", _cameras(statuses())),
            "/metrics": lambda: (200, CONTENT_TYPE_LATEST, generate_latest(registry)),
        }
        kind = _Server6 if ":" in address.host else ThreadingHTTPServer
        self._server = kind((address.host, address.port), _handler(answers))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="http", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """``HOST:PORT`` that was really opened."""
        host, port = self._server.server_address[:2]
        return str(ListenAddress(str(host), int(port)))

    def close(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _readiness(statuses: Sequence[CameraStatus]) -> tuple[int, str, bytes]:
    """Ready is who watches: 503 names each camera that is not watched and says why."""
    lacking = [f"{s.name}: {s.fault or s.health.state.value}\n" for s in statuses if not _well(s)]
    return (503, _PLAIN, "".join(lacking).encode()) if lacking else (200, _PLAIN, b"ok\n")


def _well(status: CameraStatus) -> bool:
    good = status.health.state.value in ("live", "ended")
    return good and status.health.fault is None and not status.fault


def _cameras(statuses: Sequence[CameraStatus]) -> bytes:
    """Return the states as JSON; the keys are relied on by scripts."""
    return json.dumps([_camera(status) for status in statuses]).encode() + b"\n"


def _camera(status: CameraStatus) -> dict[str, Any]:
    health = status.health
    return {
        "camera": status.name,
        "gate": status.gate or None,
        "state": health.state.value,
        "picture_fault": None if health.fault is None else health.fault.value,
        "trouble": status.fault or health.trouble or None,
        "width": status.resolution_wh[0],
        "height": status.resolution_wh[1],
        "frames": health.frames,
        "dropped": health.dropped,
        "stale": health.stale,
        "connections": health.connections,
        "looked_at": status.looked_at,
        "searched": status.searched,
        "people": status.people,
        "behind_s": None if status.behind_s is None else round(status.behind_s, 3),
    }


def _handler(
    answers: Mapping[str, Callable[[], tuple[int, str, bytes]]],
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers GET of the paths that there are."""

        timeout = 10.0

        def do_GET(self) -> None:
            """Answer."""
            answer = answers.get(self.path.split("?")[0])
            status, kind, body = answer() if answer else (404, _PLAIN, b"not found\n")
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing: scrapes come every few seconds."""

    return Handler
