"""Memory of a camera's reader, and of its monitor, over half an hour's worth of frames."""

from pathlib import Path

import pytest

from facerec.video.continuity import ContinuityRules
from facerec.video.detection_pace import DetectionPace
from facerec.video.reconnecting_source import ReconnectingSource, ReconnectRules
from tests.integration.video.rtsp_server import numbered_picture, rtsp_camera
from tests.unit.video.scripted import Shown, frame, scripted_monitor

HALF_AN_HOUR = 30 * 60 * 25
WARM = 5_000


def resident_kb() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


@pytest.mark.slow
def test_memory_is_flat_over_half_an_hours_frames() -> None:
    pictures = [numbered_picture(number) for number in range(64)]
    with (
        rtsp_camera(lambda number: pictures[number % 64], fps=1000) as server,
        ReconnectingSource(server.url, ReconnectRules()) as source,
    ):
        server.sent_s.clear()
        before_kb = 0
        for _ in source:
            server.sent_s.clear()  # the camera's own notes are not the reader's memory
            frames = source.health.frames
            if frames >= WARM and not before_kb:
                before_kb = resident_kb()
            if frames >= WARM + HALF_AN_HOUR:
                break
        growth = resident_kb() / before_kb - 1
    print(f"{frames} frames, memory {growth:+.2%} of {before_kb / 1024:.0f} MB")
    assert growth < 0.03


@pytest.mark.slow
def test_a_monitors_memory_is_flat_over_half_an_hours_visits() -> None:
    """A new visitor every 3 seconds: people known and unknown, who pass each other."""
    people = ("ada", "bob", "stranger")

    def script(number: int) -> list[Shown]:
        visit, second = divmod(number / 25, 3)
        shown = Shown(people[int(visit) % 3], 60 + 120 * second)
        return [shown, Shown("stranger", 500)] if visit % 4 == 0 else [shown]

    analyzer, monitor = scripted_monitor(script, ContinuityRules(0.3), DetectionPace())
    told = before_kb = 0
    for number in range(WARM + HALF_AN_HOUR):
        told += len(monitor.observe(frame(number)).decisions)
        analyzer.embedded.clear()  # the script's own notes
        analyzer.searched_from_px.clear()
        if number == WARM:
            before_kb = resident_kb()
    growth = resident_kb() / before_kb - 1
    print(f"{told} decisions, memory {growth:+.2%} of {before_kb / 1024:.0f} MB")
    assert told > HALF_AN_HOUR / 25 / 3
    assert growth < 0.03
