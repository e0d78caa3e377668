"""Running the monitor until it is stopped."""

import logging
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

from facerec.assembly import open_gallery
from facerec.errors import FaceRecError
from facerec.monitor_assembly import MonitorMaker
from facerec.settings import Settings
from facerec.video.crop_store import CropStore
from facerec.video.event_sink import EventSink, left_over
from facerec.video.observation import TrackDecision
from facerec.video.open_sink import open_sink
from facerec.video.telling import Telling
from facerec_monitor.configuration import MonitorSettings, load_configuration
from facerec_monitor.http_port import HttpPort
from facerec_monitor.metrics import Metrics
from facerec_monitor.sink_watch import SinkWatch
from facerec_monitor.supervisor import Applied, Supervisor

__all__ = ["Ready", "run_monitor"]

_log = logging.getLogger("facerec_monitor")

_LOOK_FOR_SIGNALS_EVERY_S = 0.2

Hear = Callable[[TrackDecision, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Ready:
    """What runs: the cameras by name, and where health and metrics are; "" for nowhere."""

    cameras: tuple[str, ...]
    listening: str


def run_monitor(
    settings: Settings,
    path: Path,
    *,
    on_ready: Callable[[Ready], None],
    heard: Hear,
) -> None:
    """Watch the cameras of a configuration until SIGTERM or SIGINT; SIGHUP reads it again.

    Args:
        settings: Of the home.
        path: The configuration; what it says of `listen` and `send` holds until the end.
        on_ready: Called once when all cameras have been started.
        heard: Called with each decision and its event, by several threads.

    Raises:
        SettingsError: the configuration cannot be taken.
        ServiceError: the port cannot be opened.
        FaceRecError: the networks or the gallery cannot be loaded.
    """
    configuration = _configuration(settings, path)
    with ExitStack() as opened:
        gallery = opened.enter_context(open_gallery(settings))
        sinks = [_sink(settings, to.get_secret_value(), opened) for to in configuration.send]
        maker = MonitorMaker.of(settings, gallery)
        metrics = Metrics(lambda: supervisor.statuses())
        _show_sinks(metrics, sinks)
        counted = _counted(metrics, heard)
        telling = Telling(gallery, sinks, crops=_crops(settings), heard=counted)
        supervisor = Supervisor(maker, settings.gallery, telling.tell)
        opened.callback(supervisor.close)
        with _signals() as arrived:
            applied, listening = supervisor.apply(configuration), ""
            if configuration.listen:
                port = HttpPort(configuration.listen, metrics.registry, supervisor.statuses)
                listening = opened.enter_context(port).address
            on_ready(Ready(applied.started, listening))
            watch = SinkWatch(sinks, _log)
            while _next(arrived, watch.look) == signal.SIGHUP:
                _reload(settings, path, configuration, supervisor, metrics)


def _counted(metrics: Metrics, heard: Hear) -> Hear:
    """Let the metrics know of what is heard, too."""

    def hear(told: TrackDecision, event: Mapping[str, Any]) -> None:
        metrics.decided(told)
        heard(told, event)

    return hear


def _next(arrived: "SimpleQueue[int]", meanwhile: Callable[[], None]) -> int:
    """Wait for a signal, and do something now and then until it comes.

    The main thread must run anyway: the system may hand a signal to another thread, and Python
    calls its handler in the main one, which is not woken by that.
    """
    while True:
        with suppress(Empty):
            return arrived.get(timeout=_LOOK_FOR_SIGNALS_EVERY_S)
        meanwhile()


def _configuration(settings: Settings, path: Path) -> MonitorSettings:
    secret = settings.watch.webhook_secret.get_secret_value()
    return load_configuration(path, settings.gates, webhook_secret=secret)


def _reload(
    settings: Settings,
    path: Path,
    first: MonitorSettings,
    supervisor: Supervisor,
    metrics: Metrics,
) -> None:
    """Apply the file as it is now, or say why not and go on as before."""
    try:
        found = _configuration(settings, path)
        applied = supervisor.apply(found)
    except FaceRecError as error:
        metrics.reloaded(applied=False)
        _log.error("configuration refused, all goes on as before: %s", error)
        return
    metrics.reloaded(applied=True)
    _log.info("configuration applied: %s", _in_words(applied))
    if (found.listen, found.send) != (first.listen, first.send):
        _log.warning("listen and send change only when the monitor is started anew")


def _in_words(applied: Applied) -> str:
    parts = [
        f"{word} {', '.join(names)}"
        for word, names in (("started", applied.started), ("stopped", applied.stopped))
        if names
    ]
    return "; ".join([*parts, f"{len(applied.kept)} camera(s) went on"])


def _sink(settings: Settings, where: str, opened: ExitStack) -> EventSink:
    """Open where events go; `opened` closes it, and says what it did not deliver."""

    def say_left_over() -> None:
        if said := left_over(sink):
            _log.warning("%s", said)

    secret = settings.watch.webhook_secret.get_secret_value()
    sink = open_sink(where, spools=settings.spools_dir, webhook_secret=secret)
    opened.callback(say_left_over)
    opened.callback(sink.close)
    return sink


def _crops(settings: Settings) -> CropStore | None:
    watching = settings.watch
    if watching.crops_dir is None:
        return None
    return CropStore(watching.crops_dir, kept_days=watching.crops_kept_days)


def _show_sinks(metrics: Metrics, sinks: list[EventSink]) -> None:
    metrics.watch(
        "events_waiting",
        "Events that no receiver has taken yet.",
        lambda: sum(sink.waiting for sink in sinks),
    )
    metrics.watch(
        "events_lost",
        "Events that gave way to newer ones, or that a disk had no room for.",
        lambda: sum(sink.lost for sink in sinks),
    )


@contextmanager
def _signals() -> Iterator["SimpleQueue[int]"]:
    """Put SIGHUP, SIGINT and SIGTERM into a queue; a second SIGINT or SIGTERM ends at once."""
    arrived: SimpleQueue[int] = SimpleQueue()

    def put(number: int, _: FrameType | None) -> None:
        if number != signal.SIGHUP:
            signal.signal(number, signal.SIG_DFL)
        arrived.put(number)

    numbers = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, put) for number in numbers}
    try:
        yield arrived
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
