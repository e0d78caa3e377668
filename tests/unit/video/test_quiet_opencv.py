"""OpenCV is silent while anybody reads, and speaks as before when nobody does."""

from cv2.utils import logging

from facerec.video.quiet_opencv import quiet_opencv


def test_silence_lasts_until_the_last_reader_is_done() -> None:
    before = logging.getLogLevel()
    first, second = quiet_opencv(), quiet_opencv()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert logging.getLogLevel() == logging.LOG_LEVEL_SILENT
    second.__exit__(None, None, None)
    assert logging.getLogLevel() == before
