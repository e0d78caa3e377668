"""A way to a server on which the first answer gets lost, and the connection with it."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

__all__ = ["LossyWay"]

_FRAME_HEADER_BYTES = 9
_HEADERS = 1
"""The type of the HTTP/2 frame that an answer begins with (RFC 9113, section 6.2)."""


class LossyWay:
    """Forwards connections to a server; the first one breaks where the server begins to answer.

    Attributes:
        address: ``HOST:PORT`` to call instead of the server.
        lost: How many answers were lost.
    """

    def __init__(self, server: str) -> None:
        host, _, port = server.rpartition(":")
        self._server = host, int(port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.lost = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:  # closed
                return
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


def _forward(client: socket.socket, server: socket.socket) -> None:
    with suppress(OSError):  # either side may be gone
        while data := client.recv(65_536):
            server.sendall(data)
