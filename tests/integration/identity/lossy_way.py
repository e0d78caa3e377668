"""A way to a server on which the first answer gets lost, and the connection with it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["LossyWay", "lossy_way"]

_FRAME_HEADER_BYTES = 9
_HEADERS = 1
"""The type of the HTTP/2 frame that an answer begins with (RFC 9113, section 6.2)."""


class LossyWay:
    """Forwards connections to a server; the first one breaks where the server begins to answer.

    Attributes:
        address: ``HOST:PORT`` to call instead of the server.
        lost: How many answers were lost.
    """

    def __init__(self, listening: socket.socket, server: str) -> None:
        host, _, port = server.rpartition(":")
        self._listening, self._server = listening, (host, int(port))
        self.address = f"127.0.0.1:{listening.getsockname()[1]}"
        self.lost = 0

    def accept(self) -> None:
        """Take connections until the socket is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._server)
                threading.Thread(target=_forward, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with server, client, server.makefile("rb") as frames, suppress(OSError):
            while header := frames.read(_FRAME_HEADER_BYTES):
                if header[3] == _HEADERS and not self.lost:
                    self.lost += 1
                    client.shutdown(socket.SHUT_RDWR)
                    server.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(header + frames.read(int.from_bytes(header[:3])))


@contextmanager
def lossy_way(server: str) -> Iterator[LossyWay]:
    """Open a way to ``HOST:PORT``."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        way = LossyWay(listening, server)
        threading.Thread(target=way.accept, daemon=True).start()
        yield way


def _forward(client: socket.socket, server: socket.socket) -> None:
    with suppress(OSError):  # either side may be gone
        while data := client.recv(65_536):
            server.sendall(data)
