"""One source that fails stops no other."""

from collections.abc import Iterator
from threading import Barrier, Event
from types import TracebackType
from typing import Self

from facerec.errors import SourceError
from facerec.video.frame import Frame
from facerec.video.monitor import Monitor
from facerec.video.monitor_rules import MonitorRules
from facerec.video.overlap_tracker import OverlapTracker
from facerec.video.watching_all import WatchedCamera, WatchOutcome, watch_all
from tests.unit.video.scripted import RULES, ScriptedAnalyzer, ScriptedIdentifier, Shown, frame


class Scripted:
    """A source of so many frames that then ends, fails, or waits until it is closed."""

    def __init__(self, frames: int, end: str) -> None:
        self.name = self.address = end
        self.resolution_wh = (640, 200)
        self.fps = 25.0
        self.is_live = end == "wait"
        self.dropped = 0
        self._frames = frames
        self._end = end
        self.closed = Event()

    def __iter__(self) -> Iterator[Frame]:
        yield from (frame(number) for number in range(self._frames))
        if self._end == "fail":
            raise SourceError("the film cannot be decoded any further")
        if self._end == "wait":
            assert self.closed.wait(10)

    def close(self) -> None:
        self.closed.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def camera(name: str, source: Scripted) -> WatchedCamera:
    monitor = Monitor(
        ScriptedAnalyzer(lambda number: [Shown("ada", 100)]),
        OverlapTracker(forget_after_s=1.0),
        ScriptedIdentifier(),
        MonitorRules(RULES, min_quality=0.2),
        camera=name,
    )
    return WatchedCamera(name, source, monitor)


def test_a_source_that_fails_stops_no_other() -> None:
    told: list[str] = []
    ended: list[WatchOutcome] = []
    cameras = [camera("bad", Scripted(2, "fail")), camera("good", Scripted(50, "end"))]
    outcomes = watch_all(
        cameras,
        tell=lambda decision: told.append(f"{decision.camera} {decision.name}"),
        ended=ended.append,
        stop=Event(),
    )
    assert sorted(told) == ["bad None", "good Ada"]  # seen twice before the source failed
    assert {each.camera.name: each.error is None for each in ended} == {"bad": False, "good": True}
    assert outcomes[0].summary is None
    assert outcomes[1].summary is not None and outcomes[1].summary.frames == 50


def test_stopping_sends_home_who_waits_for_a_silent_camera() -> None:
    stop = Event()
    waiting = Scripted(10, "wait")
    outcomes = watch_all(
        [camera("silent", waiting)],
        tell=lambda decision: stop.set(),
        ended=lambda outcome: None,
        stop=stop,
    )
    assert waiting.closed.is_set()
    assert outcomes[0].error is None


def test_silent_cameras_are_closed_side_by_side() -> None:
    """One after the other, each would wait here for a second that is never closed."""
    both = Barrier(2, timeout=10)

    class Slow(Scripted):
        def close(self) -> None:
            if not self.closed.is_set():
                both.wait()
            super().close()

    stop = Event()
    silent = [Slow(10, "wait"), Slow(10, "wait")]
    outcomes = watch_all(
        [camera(name, source) for name, source in zip("ab", silent, strict=True)],
        tell=lambda decision: stop.set(),
        ended=lambda outcome: None,
        stop=stop,
    )
    assert not both.broken
    assert all(outcome.error is None for outcome in outcomes)
