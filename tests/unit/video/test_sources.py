"""The pure parts of a camera that comes back."""

import os
from random import Random
from threading import Event, Thread

import numpy as np
import pytest

from facerec.video.backoff import Backoff
from facerec.video.camera_health import PictureFault
from facerec.video.capture_options import rtsp_transport
from facerec.video.picture_check import PictureCheck
from facerec.video.stream_lag import StreamLag


def test_waits_double_up_to_a_limit_and_differ_by_chance() -> None:
    backoff = Backoff(0.25, 2.0)
    waits = [[backoff.wait_s(n, Random(seed)) for seed in range(50)] for n in range(1, 9)]
    for number, found in enumerate(waits):
        limit = min(2.0, 0.25 * 2**number)
        assert limit / 2 <= min(found) < max(found) <= limit
        assert len(set(found)) == 50
    assert backoff.wait_s(10**6, Random(0)) <= 2.0


def noisy(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (240, 320, 3)).astype(np.uint8)


def test_a_picture_that_repeats_to_the_bit_is_frozen_until_it_moves() -> None:
    check = PictureCheck()
    found = [check.judge(noisy(1), clock_s=at / 10) for at in range(40)]
    assert found == [None] * 30 + [PictureFault.FROZEN] * 10
    assert check.judge(noisy(2), clock_s=4.0) is None
    assert check.judge(noisy(2), clock_s=6.9) is None


@pytest.mark.parametrize(("share", "fault"), [(0.2, None), (0.5, PictureFault.GREEN)])
def test_a_picture_half_green_is_told(share: float, fault: PictureFault | None) -> None:
    image = noisy(1)
    image[round(240 * (1 - share)) :] = 0, 135, 0
    assert PictureCheck().judge(image, 0.0) is fault


def test_a_dark_room_is_not_blank_and_a_covered_lens_is() -> None:
    dark = (noisy(1) // 16).astype(np.uint8)
    assert PictureCheck().judge(dark, 0.0) is None
    covered = np.full((240, 320, 3), 9, np.uint8)
    assert PictureCheck().judge(covered, 0.0) is PictureFault.BLANK


def test_frames_that_waited_on_the_way_are_not_fresh() -> None:
    lag = StreamLag(0.8)
    assert all(lag.is_fresh(100 + n / 25 + 0.05, n / 25) for n in range(100))
    # The stream stops for 2 s and then all comes at once: only the last .8 s are fresh.
    late = [(106.0, n / 25) for n in range(100, 150)]
    fresh = [lag.is_fresh(at, stamp) for at, stamp in late]
    assert fresh == [stamp >= 5.95 - 0.8 for _, stamp in late]


def test_stamps_that_say_nothing_are_not_believed() -> None:
    standing = StreamLag(0.8)
    assert all(standing.is_fresh(n / 25, 0.0) for n in range(100))
    back = StreamLag(0.8)
    assert [back.is_fresh(10.0, 50.0), back.is_fresh(10.1, 0.0)] == [True, True]


def test_a_clock_that_drifts_does_not_make_frames_old() -> None:
    lag = StreamLag(0.8)
    assert all(lag.is_fresh(n * 1.0005, float(n)) for n in range(10_000))


def test_cameras_of_one_transport_open_side_by_side_and_of_two_one_after_the_other() -> None:
    inside, leave, other = Event(), Event(), Event()

    def hold() -> None:
        with rtsp_transport("rtsp://a/", "tcp"):
            inside.set()
            leave.wait(5)

    def other_one() -> None:
        with rtsp_transport("rtsp://c/", "udp"):
            other.set()

    name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    threads = [Thread(target=hold), Thread(target=other_one)]
    threads[0].start()
    assert inside.wait(5)
    with rtsp_transport("rtsp://b/", "tcp"):
        assert "rtsp_transport;tcp" in os.environ[name]
    threads[1].start()
    assert not other.wait(0.1)
    leave.set()
    assert other.wait(5)
    for thread in threads:
        thread.join()
    assert name not in os.environ


def test_the_users_own_choice_of_transport_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    monkeypatch.setenv(name, "rtsp_transport;udp_multicast")
    with rtsp_transport("rtsp://a/", "tcp"):
        assert os.environ[name] == "rtsp_transport;udp_multicast"
    assert os.environ[name] == "rtsp_transport;udp_multicast"
