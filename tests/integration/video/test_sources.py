from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socket import socket
from threading import active_count
from time import sleep

import cv2
import numpy as np
import pytest

from facerec.errors import SourceError
from facerec.video import open_source
from facerec.video.quiet_opencv import quiet_opencv
from tests.integration.video.camera_server import camera_server
from tests.integration.video.films import SIZE_WH, index_of, write_film


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "gate one.mp4", 25)


def test_a_film_gives_every_frame_in_order_with_its_own_clock(film: Path) -> None:
    with open_source(str(film)) as source:
        frames = list(source)
        assert source.name == "gate one"
        assert source.address == str(film)
        assert source.resolution_wh == SIZE_WH
        assert source.fps == pytest.approx(25)
        assert not source.is_live
        assert source.dropped == 0
    assert [index_of(frame.image_bgr) for frame in frames] == list(range(25))
    assert [frame.index for frame in frames] == list(range(25))
    np.testing.assert_allclose([f.clock_s for f in frames], np.arange(25) / 25, atol=1e-3)
    assert frames[0].image_bgr.shape == (SIZE_WH[1], SIZE_WH[0], 3)
    assert frames[0].image_bgr.dtype == np.uint8
    elapsed = (frames[-1].captured - frames[0].captured).total_seconds()
    assert elapsed == pytest.approx(24 / 25, abs=1e-3)
    assert frames[0].captured.utcoffset() is not None


@pytest.mark.parametrize("realtime", [False, True])
def test_a_film_can_be_left_before_its_end(film: Path, realtime: bool) -> None:
    threads = active_count()
    with open_source(str(film), realtime=realtime) as source:
        next(iter(source))
    assert active_count() == threads
    source.close()  # twice is allowed


def test_in_real_time_a_slow_reader_gets_fresh_frames_and_the_rest_is_counted(film: Path) -> None:
    seen = []
    with open_source(str(film), realtime=True) as source:
        for frame in source:
            seen.append(frame)
            sleep(0.2)  # five frames' time
        dropped = source.dropped
    indices = [frame.index for frame in seen]
    assert [index_of(frame.image_bgr) for frame in seen] == indices
    assert indices == sorted(set(indices))
    assert len(seen) + dropped == 25
    assert dropped >= 15
    assert indices[-1] == 24, "the last frame is never lost"


def test_in_real_time_a_film_takes_its_own_time(film: Path) -> None:
    with open_source(str(film), realtime=True) as source:
        times = [frame.captured for frame in source]
    assert (times[-1] - times[0]).total_seconds() >= 24 / 25 - 0.05


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.mp4", None, "does not exist"),
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"This is a letter, not a film.\n" * 40, "not a video"),
        ("cut.mp4", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2mp41" + bytes(5000), "not a video"),
    ],
)
def test_what_is_no_film_is_refused_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, content: bytes | None, says: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=says) as caught:
        open_source(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", ""), "neither FFmpeg nor OpenCV says more"


def test_a_film_without_frames_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.avi"
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    with quiet_opencv():
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, 25, SIZE_WH)
    writer.release()
    assert path.stat().st_size > 0
    with pytest.raises(SourceError, match=r"no frames|not a video"):
        open_source(str(path))


def test_a_film_cut_off_in_the_middle_gives_what_is_there(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "whole.mkv", 25)
    data = whole.read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(data[: len(data) * 2 // 3])
    with open_source(str(cut)) as source:
        count = sum(1 for _ in source)
    assert 0 < count < 25


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a folder"):
        open_source(str(tmp_path))


@pytest.mark.parametrize("device", ["63", "/dev/video63", "/dev/null"])
def test_a_camera_that_is_not_there_is_refused(
    device: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SourceError, match=f"camera {device} cannot be opened: is it plugged in"):
        open_source(device)
    assert capfd.readouterr().err == ""


@pytest.fixture
def served(film: Path) -> Iterator[str]:
    """The film behind a password, on a server that also streams for a while without an end."""
    with camera_server(film) as address:
        yield address


def test_a_film_behind_a_url_and_a_password_is_read_to_its_end(served: str) -> None:
    with open_source(f"http://ada:geheim@{served}/film.mp4") as source:
        assert source.name == "127.0.0.1"
        assert source.address == f"http://{served}/film.mp4"
        assert not source.is_live
        assert [index_of(frame.image_bgr) for frame in source] == list(range(25))


def test_a_wrong_password_is_refused_without_showing_it(served: str) -> None:
    with pytest.raises(SourceError, match="password") as caught:
        open_source(f"http://ada:geraten@{served}/film.mp4")
    assert "geraten" not in str(caught.value)


def test_a_stream_that_stops_gives_what_it_had_and_then_fails(served: str) -> None:
    seen = []
    with open_source(f"http://ada:geheim@{served}/live") as source:
        assert source.is_live
        with pytest.raises(SourceError, match="stopped giving frames") as caught:
            seen.extend(source)
    assert "geheim" not in str(caught.value)
    assert seen, "frames came before it stopped"
    assert [f.clock_s for f in seen] == sorted(f.clock_s for f in seen)


@pytest.fixture
def closed_port() -> Iterator[int]:
    with closing(socket()) as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]  # bound but not listening: connections are refused


def test_an_unreachable_stream_is_refused_without_its_password(
    closed_port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SourceError, match="cannot be opened") as caught:
        open_source(f"http://admin:geheim@127.0.0.1:{closed_port}/live?token=abc")
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]
    shown = " ".join(map(str, chain)) + "".join(capfd.readouterr())
    assert "geheim" not in shown
    assert "abc" not in shown
    assert f"http://127.0.0.1:{closed_port}/live" in shown
