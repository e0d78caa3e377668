"""A camera's worker ends when it is asked to, whatever its source does."""

from threading import Thread
from time import sleep

from pydantic import SecretStr

from facerec.video.monitor import Monitor
from facerec.video.monitor_rules import MonitorRules
from facerec.video.overlap_tracker import OverlapTracker
from facerec.video.source import FrameSource
from facerec_monitor.camera_worker import CameraWorker
from facerec_monitor.configuration import CameraSettings
from tests.unit.video.scripted import RULES, ScriptedAnalyzer, ScriptedIdentifier
from tests.unit.video.test_watching_all import Scripted


def monitor() -> Monitor:
    return Monitor(
        ScriptedAnalyzer(lambda number: []),
        OverlapTracker(forget_after_s=1.0),
        ScriptedIdentifier(),
        MonitorRules(RULES, min_quality=0.2),
        camera="north",
    )


def test_who_is_stopped_while_the_camera_is_being_opened_waits_for_no_frame() -> None:
    silent = Scripted(0, "wait")
    stopping: list[Thread] = []

    def open_slowly(settings: CameraSettings) -> FrameSource:
        stopper = Thread(target=worker.stop)
        stopper.start()
        stopping.append(stopper)
        sleep(0.2)  # there is nothing yet that could be closed
        return silent

    settings = CameraSettings(url=SecretStr("0"))
    worker = CameraWorker("north", settings, monitor, lambda told: None, open_source=open_slowly)
    worker.start()
    while not stopping:
        sleep(0.01)
    stopping[0].join(8)
    assert not stopping[0].is_alive()
    assert silent.closed.is_set()
