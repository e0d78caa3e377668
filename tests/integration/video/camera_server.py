"""A network camera: a film behind a password, and a stream of pictures that stops."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import sleep

import cv2

from tests.integration.video.films import marked_image

_AUTHORISED = "Basic " + b64encode(b"ada:geheim").decode()
_STREAMED = 40


@contextmanager
def camera_server(film: Path) -> Iterator[str]:
    """Serve ``/film.mp4`` and ``/live`` to who knows the password; give ``HOST:PORT``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != _AUTHORISED:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif self.path == "/film.mp4":
                self._send_film(film.read_bytes())
            else:
                self._stream()

        def _send_film(self, data: bytes) -> None:
            start = int(self.headers.get("Range", "bytes=0-").split("=")[1].split("-")[0])
            self.send_response(206)
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self._write(data[start:])

        def _stream(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            for index in range(_STREAMED):
                jpeg = cv2.imencode(".jpg", marked_image(index % 25))[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                if not self._write(head.encode() + jpeg + b"\r\n"):
                    return
                sleep(0.02)

        def _write(self, data: bytes) -> bool:
            try:
                self.wfile.write(data)
            except OSError:  # the reader has what it wants
                return False
            return True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
