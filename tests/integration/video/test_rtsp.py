"""A network camera that fails in every way, read over a real RTSP stream."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import numpy as np
import pytest

from facerec.errors import SourceError
from facerec.video import Frame, open_source
from facerec.video.camera_health import CameraState, PictureFault
from facerec.video.capture_options import CaptureOptions, rtsp_transport
from facerec.video.opencv_source import OpenCvSource
from facerec.video.reconnecting_source import ReconnectingSource, ReconnectRules
from tests.integration.video.films import write_film
from tests.integration.video.rtsp_server import (
    RtspServer,
    number_of,
    numbered_picture,
    rtsp_camera,
)

RULES = ReconnectRules()
RETURNS_WITHIN_S = 5.0


class Reader:
    """Takes every frame that a source hands out, in a thread, and notes how old each was."""

    def __init__(self, source: ReconnectingSource, server: RtspServer) -> None:
        self.source = source
        self.server = server
        self.frames: list[tuple[Frame, float]] = []
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for frame in self.source:
            age_s = monotonic() - self.server.sent_s[number_of(frame.image_bgr)]
            self.frames.append((frame, age_s))

    def wait_for_new(self, within_s: float) -> float:
        """Wait for a frame from now on; return the seconds that it took."""
        began_s, seen = monotonic(), len(self.frames)
        while len(self.frames) == seen:
            assert monotonic() - began_s < within_s, self.source.health
            sleep(0.01)
        return monotonic() - began_s

    def wait_for_state(self, state: CameraState, within_s: float = 6.0) -> None:
        until_s = monotonic() + within_s
        while self.source.health.state is not state:
            assert monotonic() < until_s, self.source.health
            sleep(0.02)

    def join(self) -> None:
        self._thread.join(5)
        assert not self._thread.is_alive()


@pytest.fixture
def server() -> Iterator[RtspServer]:
    with rtsp_camera() as camera:
        yield camera


@pytest.fixture
def reader(server: RtspServer) -> Iterator[Reader]:
    with ReconnectingSource(server.url, RULES) as source:
        reading = Reader(source, server)
        reading.wait_for_new(10)
        yield reading
    reading.join()
    assert max(age_s for _, age_s in reading.frames) < 1.0, "an old frame was handed out"
    assert source.health.state is CameraState.ENDED


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_stream_comes_over_the_transport_that_was_asked_for(transport: str) -> None:
    with rtsp_camera() as server:
        options = CaptureOptions(5, 5, "udp" if transport == "udp" else "tcp")
        with ReconnectingSource(server.url, ReconnectRules(capture=options)) as source:
            numbers = [number_of(frame.image_bgr) for frame in islice(source, 10)]
    assert server.transports == [transport]
    assert numbers == sorted(set(numbers))
    assert source.resolution_wh == (320, 240)


def cut_and_restored(reader: Reader, server: RtspServer, times: int) -> list[float]:
    took = []
    for _ in range(times):
        server.cut()
        reader.wait_for_state(CameraState.LOST)
        assert "127.0.0.1" in reader.source.health.trouble
        server.restore()
        took.append(reader.wait_for_new(RETURNS_WITHIN_S))
        assert reader.source.health.state is CameraState.LIVE
    assert reader.source.health.connections == times + 1
    return took


def test_a_camera_that_was_cut_comes_back(reader: Reader, server: RtspServer) -> None:
    cut_and_restored(reader, server, 2)
    clocks = [frame.clock_s for frame, _ in reader.frames]
    indices = [frame.index for frame, _ in reader.frames]
    assert clocks == sorted(clocks)
    assert indices == sorted(set(indices))


@pytest.mark.slow
def test_a_camera_that_was_cut_comes_back_twenty_times(reader: Reader, server: RtspServer) -> None:
    took = cut_and_restored(reader, server, 20)
    print(f"back within {sorted(took)[10]:.2f} s (median), {max(took):.2f} s (worst of 20)")


def test_a_stream_that_stalls_without_closing_is_noticed_and_comes_back(
    reader: Reader, server: RtspServer, capfd: pytest.CaptureFixture[str]
) -> None:
    server.stall()
    reader.wait_for_state(CameraState.STALLED)
    reader.wait_for_state(CameraState.LOST)  # a silent connection is given up
    server.resume()
    reader.wait_for_new(RETURNS_WITHIN_S)
    server.stall()
    reader.wait_for_state(CameraState.STALLED)
    server.resume()  # before it is given up
    reader.wait_for_new(RETURNS_WITHIN_S)
    assert capfd.readouterr().err == "", "OpenCV says nothing of its own"


def test_a_stream_may_change_its_resolution(reader: Reader, server: RtspServer) -> None:
    server.picture = lambda number: numbered_picture(number, (640, 480))
    until_s = monotonic() + RETURNS_WITHIN_S
    while reader.frames[-1][0].image_bgr.shape != (480, 640, 3):
        assert monotonic() < until_s, reader.frames[-1][0].image_bgr.shape
        sleep(0.02)


@pytest.mark.parametrize(
    ("fault", "picture"),
    [
        (PictureFault.FROZEN, lambda _: numbered_picture(7)),
        (PictureFault.GREEN, lambda _: np.full((240, 320, 3), (0, 135, 0), np.uint8)),
        (PictureFault.BLANK, lambda _: np.full((240, 320, 3), 16, np.uint8)),
    ],
)
def test_pictures_that_are_none_are_noticed(
    server: RtspServer, fault: PictureFault, picture: object
) -> None:
    server.picture = picture  # type: ignore[assignment]
    with ReconnectingSource(server.url, RULES) as source:
        until_s = monotonic() + 10
        while source.health.fault is not fault:
            assert monotonic() < until_s, source.health
            sleep(0.02)
        assert source.health.state is CameraState.LIVE
        server.picture = numbered_picture
        while source.health.fault is not None:
            assert monotonic() < until_s, source.health
            sleep(0.02)


def test_a_reader_that_stops_does_not_wait_for_a_silent_camera(server: RtspServer) -> None:
    with ReconnectingSource(server.url, RULES) as source:
        reader = Reader(source, server)
        reader.wait_for_new(10)
        server.stall()
        sleep(0.3)
        source.close()
        reader.join()


def test_a_camera_that_is_not_there_yet_is_waited_for() -> None:
    with rtsp_camera() as server:
        server.cut()
        with ReconnectingSource(server.url, RULES) as source:
            sleep(0.5)
            assert source.health.state is CameraState.CONNECTING
            assert source.health.last_frame_age_s is None
            server.restore()
            Reader(source, server).wait_for_new(RETURNS_WITHIN_S)


def test_a_wrong_password_is_told_without_showing_it() -> None:
    with rtsp_camera(password="geheim") as server:
        with open_source(server.url, reconnect=RULES) as source:
            assert number_of(next(iter(source)).image_bgr) >= 0
            assert "geheim" not in source.address
        wrong = server.url.replace("geheim", "geraten")
        with pytest.raises(SourceError, match="password") as caught:
            open_source(wrong, reconnect=RULES)
        assert "geraten" not in str(caught.value)
        with ReconnectingSource(wrong, RULES) as source:
            until_s = monotonic() + 5
            while not source.health.trouble and monotonic() < until_s:
                sleep(0.02)
            assert "password" in source.health.trouble
            assert "geraten" not in source.health.trouble


def test_a_film_is_read_while_a_stream_is_being_opened(tmp_path: Path) -> None:
    """OpenCV takes a stream's options from the environment, which films see too."""
    film = write_film(tmp_path / "film.mkv", 5)
    with rtsp_transport("rtsp://camera/live", "tcp"), OpenCvSource(str(film)) as source:
        assert sum(1 for _ in source) == 5
