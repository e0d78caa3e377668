"""A network camera that speaks RTSP (RFC 2326) and sends JPEG over RTP (RFC 2435), TCP or UDP.

Small, but a real stream: FFmpeg reads it as it reads a camera's. It can be cut, stalled and changed
while somebody watches.
"""

import socket
import struct
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from time import monotonic

import cv2
import numpy as np

Picture = Callable[[int], np.ndarray]

_CHUNK = 1200
_CLOCK_HZ = 90_000
_BITS = 16
_CELL_PX = 16


def numbered_picture(number: int, size_wh: tuple[int, int] = (320, 240)) -> np.ndarray:
    """A grey picture with a little noise and its number in black and white cells at the top."""
    noise = np.random.default_rng(number).integers(90, 130, (size_wh[1], size_wh[0], 1))
    image = np.repeat(noise.astype(np.uint8), 3, axis=2)
    for bit in range(_BITS):
        value = 255 if number >> bit & 1 else 0
        image[:_CELL_PX, bit * _CELL_PX : (bit + 1) * _CELL_PX] = value
    return image


def number_of(image: np.ndarray) -> int:
    """The number that `numbered_picture` wrote."""
    half = _CELL_PX // 2
    return sum(1 << bit for bit in range(_BITS) if image[half, bit * _CELL_PX + half].mean() > 127)


class RtspServer:
    """One camera at one address; `sent_s` says when each numbered picture was first sent."""

    def __init__(self, picture: Picture, *, fps: float = 25, password: str = "") -> None:
        self.picture = picture
        self.fps = fps
        self.transports: list[str] = []
        self.sent_s: dict[int, float] = {}
        self._password = password
        self._began_s = monotonic()
        self._sending = Event()
        self._sending.set()
        self._clients: set[socket.socket] = set()
        self._lock = Lock()
        self._listener: socket.socket | None = None
        self._port = 0
        self.restore()

    @property
    def url(self) -> str:
        user = f"ada:{self._password}@" if self._password else ""
        return f"rtsp://{user}127.0.0.1:{self._port}/live"

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            for client in self._clients:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
            self._clients.clear()

    def restore(self) -> None:
        """Listen again, at the same address."""
        self._listener = socket.create_server(("127.0.0.1", self._port), reuse_port=True)
        self._port = self._listener.getsockname()[1]
        Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stall(self) -> None:
        """Send nothing, and keep connections open."""
        self._sending.clear()

    def resume(self) -> None:
        self._sending.set()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._clients.add(client)
            Thread(target=_Session(self, client).run, daemon=True).start()

    def authorised(self, headers: dict[str, str]) -> bool:
        wanted = "Basic " + b64encode(f"ada:{self._password}".encode()).decode()
        return not self._password or headers.get("authorization") == wanted

    def frames(self, over: Event) -> Iterator[tuple[int, bytes]]:
        """The live pictures from now on, as JPEG."""
        last = -1
        while not over.is_set():
            number = int((monotonic() - self._began_s) * self.fps)
            if number == last or not self._sending.is_set():
                over.wait(0.5 / self.fps)
                continue
            last = number
            jpeg = cv2.imencode(".jpg", self.picture(number))[1].tobytes()
            self.sent_s.setdefault(number, monotonic())
            yield number, jpeg


class _Session:
    """One connection."""

    def __init__(self, server: RtspServer, client: socket.socket) -> None:
        self._server = server
        self._client = client
        self._over = Event()
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._send: Callable[[bytes], None] = self._send_interleaved

    def run(self) -> None:
        with self._datagrams, suppress(OSError), self._client.makefile("rb") as lines:
            while request := self._request(lines):
                self._answer(*request)
        self._over.set()
        self._client.close()

    def _request(self, lines: object) -> tuple[str, dict[str, str]] | None:
        while first := lines.read(1):  # type: ignore[attr-defined]
            if first == b"$":  # the client's RTCP, interleaved
                _, length = struct.unpack(">BH", lines.read(3))  # type: ignore[attr-defined]
                lines.read(length)  # type: ignore[attr-defined]
                continue
            method = (first + lines.readline()).decode().split()[0]  # type: ignore[attr-defined]
            headers = {}
            while line := lines.readline().decode().strip():  # type: ignore[attr-defined]
                key, _, value = line.partition(":")
                headers[key.lower()] = value.strip()
            return method, headers
        return None

    def _answer(self, method: str, headers: dict[str, str]) -> None:
        extra, body = {"Session": "1"}, ""
        status = "200 OK"
        if method == "OPTIONS":
            extra = {"Public": "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"}
        elif not self._server.authorised(headers):
            status, extra = "401 Unauthorized", {"WWW-Authenticate": 'Basic realm="camera"'}
        elif method == "DESCRIBE":
            extra = {"Content-Type": "application/sdp", "Content-Base": f"{self._server.url}/"}
            body = (
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
                "m=video 0 RTP/AVP 26\r\na=control:track1\r\n"
            )
        elif method == "SETUP":
            extra["Transport"] = self._set_up(headers["transport"])
        head = {"CSeq": headers.get("cseq", "0"), "Content-Length": str(len(body)), **extra}
        lines = "".join(f"{key}: {value}\r\n" for key, value in head.items())
        self._client.sendall(f"RTSP/1.0 {status}\r\n{lines}\r\n{body}".encode())
        if method == "PLAY":
            Thread(target=self._play, daemon=True).start()

    def _set_up(self, wanted: str) -> str:
        if "TCP" in wanted:
            self._server.transports.append("tcp")
            return "RTP/AVP/TCP;unicast;interleaved=0-1"
        self._server.transports.append("udp")
        port = int(wanted.split("client_port=")[1].split("-")[0])
        self._datagrams.bind(("127.0.0.1", 0))
        own = self._datagrams.getsockname()[1]
        self._send = lambda packet: _quietly(self._datagrams, packet, ("127.0.0.1", port))
        return f"RTP/AVP;unicast;client_port={port}-{port + 1};server_port={own}-{own + 1}"

    def _send_interleaved(self, packet: bytes) -> None:
        self._client.sendall(b"$\0" + struct.pack(">H", len(packet)) + packet)

    def _play(self) -> None:
        sequence = 0
        with suppress(OSError):
            for number, jpeg in self._server.frames(self._over):
                stamp = int(number / self._server.fps * _CLOCK_HZ) & 0xFFFFFFFF
                payloads = list(_payloads(jpeg))
                for payload in payloads:
                    marker = 0x80 if payload is payloads[-1] else 0
                    head = struct.pack(
                        ">BBHII", 0x80, marker | 26, sequence & 0xFFFF, stamp, 0x1234
                    )
                    self._send(head + payload)
                    sequence += 1


def _quietly(datagrams: socket.socket, packet: bytes, address: tuple[str, int]) -> None:
    with suppress(OSError):
        datagrams.sendto(packet, address)


def _payloads(jpeg: bytes) -> Iterator[bytes]:
    """Cut a baseline JPEG of OpenCV (4:2:0, standard Huffman tables) as RFC 2435 says."""
    tables, width, height, at = b"", 0, 0, 2
    while True:
        marker, length = struct.unpack(">HH", jpeg[at : at + 4])
        segment = jpeg[at + 4 : at + 2 + length]
        at += 2 + length
        if marker == 0xFFDB:
            for start in range(0, len(segment), 65):
                tables += segment[start + 1 : start + 65]
        elif marker == 0xFFC0:
            height, width = struct.unpack(">HH", segment[1:5])
        elif marker == 0xFFDA:
            break
    scan = jpeg[at:-2]
    for offset in range(0, len(scan), _CHUNK):
        head = struct.pack(">I", offset) + bytes((1, 255, width // 8, height // 8))
        if offset == 0:
            head += struct.pack(">BBH", 0, 0, len(tables)) + tables
        yield head + scan[offset : offset + _CHUNK]


@contextmanager
def rtsp_camera(
    picture: Picture = numbered_picture, *, fps: float = 25, password: str = ""
) -> Iterator[RtspServer]:
    server = RtspServer(picture, fps=fps, password=password)
    try:
        yield server
    finally:
        server.cut()
