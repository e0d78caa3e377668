"""``facerec watch``: recognise people in films and cameras, as they come."""

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from facerec.cli.console import Home, Json, emit, messages, output, stated_failures, warn
from facerec.cli.options import Fpir, InGallery, decision_settings
from facerec.cli.telling import print_decision

if TYPE_CHECKING:
    from facerec.cli.live_view import LiveView
    from facerec.gallery.gallery import Gallery
    from facerec.settings import Settings
    from facerec.video.event_sink import EventSink
    from facerec.video.observation import Observation, TrackDecision
    from facerec.video.reconnecting_source import ReconnectRules
    from facerec.video.telling import Telling
    from facerec.video.watching_all import WatchedCamera, WatchOutcome

__all__ = ["watch"]


_Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE...",
        help="Video files, devices (0 or /dev/video0) or URLs (rtsp://...).",
        show_default=False,
    ),
]
_Film = Annotated[
    Path | None,
    typer.Option(
        "--output",
        help="Write an annotated video (.mp4, .mkv, .avi); with several sources, one each.",
        dir_okay=False,
    ),
]
_MaxFrames = Annotated[
    int | None, typer.Option("--max-frames", min=1, help="Frames to look at in each source.")
]
_Realtime = Annotated[
    bool, typer.Option("--realtime", help="Play files at their own speed, as a camera would.")
]
_Udp = Annotated[bool, typer.Option("--udp", help="Read RTSP over UDP instead of TCP.")]
_Send = Annotated[
    list[str] | None,
    typer.Option(
        "--send",
        metavar="WHERE",
        help="Send events to a file, https://WEBHOOK or mqtt://HOST/TOPIC; may be repeated.",
    ),
]
_CameraNames = Annotated[
    list[str] | None,
    typer.Option("--camera-name", help="Name of each source, in the order of the sources."),
]


def watch(
    sources: _Sources,
    gallery: InGallery = None,
    film: _Film = None,
    max_frames: _MaxFrames = None,
    realtime: _Realtime = False,
    camera_names: _CameraNames = None,
    udp: _Udp = False,
    send: _Send = None,
    fpir: Fpir = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say who comes before the camera: each face is followed, and named at most once.

    A camera that is lost is tried again for ever, and a source that fails stops no other. A
    terminal also shows how each camera is doing. With --json, one CloudEvent a line and a decision.
    """
    with stated_failures(), ExitStack() as opened:
        settings = decision_settings(home, fpir=fpir)
        names = _camera_names(sources, camera_names or [])
        films = _film_paths(film, sources, names)
        people = _open_gallery(settings, gallery, opened)
        rules = _reconnect_rules(udp)
        sinks = [_sink(settings, where, opened) for where in send or []]
        cameras = _open(settings, people, gallery, sources, names, films, realtime, rules, opened)
        stop = Event()
        with _stopped_by_signals(stop), ExitStack() as shown:
            view = shown.enter_context(_live_view(cameras)) if _is_live_view(as_json) else None
            telling = _telling(settings, people, sinks, as_json, view)
            outcomes = _watch_all(cameras, telling, max_frames, stop, view)
        _sum_up(outcomes, as_json)
    for path in films:
        if path is not None:
            messages.print(f"Annotated film: {escape(str(path))}", soft_wrap=True)


def _camera_names(sources: Sequence[str], given: Sequence[str]) -> list[str]:
    """Return a different name for each source; events are told apart by them."""
    from facerec.errors import SourceError
    from facerec.video.naming import source_name

    if given and len(given) != len(sources):
        raise SourceError(
            f"{len(sources)} source(s), but {len(given)} --camera-name: give one for each, or none"
        )
    twice = [name for name in given if given.count(name) > 1]
    if twice:
        raise SourceError(
            f"two sources are named {twice[0]}; give each a --camera-name of its own, since events "
            "are told apart by it"
        )
    names: list[str] = []
    for name in given or [source_name(source) for source in sources]:
        number = 2
        unique = name
        while unique in names:
            unique, number = f"{name}-{number}", number + 1
        names.append(unique)
    return names


def _film_paths(
    film: Path | None, sources: Sequence[str], names: Sequence[str]
) -> Sequence[Path | None]:
    """Return where each source's annotated film is to lie, which is not where a source does."""
    from facerec.errors import SourceError

    if film is None:
        return [None] * len(names)
    paths = [film]
    if len(names) > 1:
        paths = [film.with_name(f"{film.stem}-{name}{film.suffix}") for name in names]
    taken = {Path(source).resolve() for source in sources}
    for path in paths:
        if path.resolve() in taken:
            raise SourceError(f"{path} is a source; name another file with --output")
    return paths


def _open_gallery(
    settings: "Settings", galleries: Sequence[str] | None, opened: ExitStack
) -> "Gallery":
    """Open who is enrolled; `opened` closes it."""
    from facerec.assembly import open_gallery

    searched = list(galleries or [settings.gallery])
    people = opened.enter_context(open_gallery(settings))
    people.require_galleries(searched)
    if not any(people.list(name) for name in searched):
        warn(f"nobody is enrolled in {', '.join(searched)}: everybody will be unknown")
    return people


def _reconnect_rules(udp: bool) -> "ReconnectRules":
    from facerec.video.reconnecting_source import ReconnectRules

    rules = ReconnectRules()
    if udp:
        rules = replace(rules, capture=replace(rules.capture, rtsp_transport="udp"))
    return rules


def _open(
    settings: "Settings",
    people: "Gallery",
    galleries: Sequence[str] | None,
    sources: Sequence[str],
    names: Sequence[str],
    films: Sequence[Path | None],
    realtime: bool,
    rules: "ReconnectRules",
    opened: ExitStack,
) -> "list[WatchedCamera]":
    """Open all that is watched, before anything is looked at; `opened` closes it."""
    from facerec.monitor_assembly import build_monitors
    from facerec.video import open_source
    from facerec.video.annotated_film import AnnotatedFilm
    from facerec.video.watching_all import WatchedCamera

    monitor_for = build_monitors(settings, people, list(galleries or [settings.gallery]))
    cameras = []
    for spec, name, path in zip(sources, names, films, strict=True):
        source = opened.enter_context(open_source(spec, realtime=realtime, reconnect=rules))
        see = None
        if path is not None:
            see = opened.enter_context(AnnotatedFilm(path, source, camera=name)).see
        cameras.append(WatchedCamera(name, source, monitor_for(name), see))
    return cameras


def _is_live_view(as_json: bool) -> bool:
    """Tell whether stdout is a terminal that can redraw its lines."""
    return output.is_terminal and not output.is_dumb_terminal and not as_json


def _live_view(cameras: "Sequence[WatchedCamera]") -> "LiveView":
    from facerec.cli.live_view import LiveView

    return LiveView(output, [(camera.name, camera.source) for camera in cameras])


def _telling(
    settings: "Settings",
    people: "Gallery",
    sinks: "Sequence[EventSink]",
    as_json: bool,
    view: "LiveView | None",
) -> "Telling":
    """Make what is told of decisions: journal, receivers, kept looks, and stdout."""
    from facerec.video.crop_store import CropStore
    from facerec.video.telling import Telling

    def heard(told: "TrackDecision", event: Mapping[str, Any]) -> None:
        if as_json:
            emit(event)
        elif view is not None:
            view.tell(told)
        else:
            print_decision(told)

    crops, folder = None, settings.watch.crops_dir
    if folder is not None:
        crops = CropStore(folder, kept_days=settings.watch.crops_kept_days)
    return Telling(people, sinks, crops=crops, heard=heard)


def _sink(settings: "Settings", where: str, opened: ExitStack) -> "EventSink":
    """Open where events go; `opened` closes it, and says what it did not deliver."""
    from facerec.video.event_sink import left_over
    from facerec.video.open_sink import open_sink

    def say_left_over() -> None:
        if said := left_over(sink):
            warn(said)

    secret = settings.watch.webhook_secret.get_secret_value()
    sink = open_sink(where, spools=settings.spools_dir, webhook_secret=secret)
    opened.callback(say_left_over)
    opened.callback(sink.close)
    return sink


def _watch_all(
    cameras: "Sequence[WatchedCamera]",
    telling: "Telling",
    max_frames: int | None,
    stop: Event,
    view: "LiveView | None",
) -> "tuple[WatchOutcome, ...]":
    """Watch every source until all are over."""
    from facerec.video.watching_all import watch_all

    def ended(outcome: "WatchOutcome") -> None:
        if view is not None:
            view.end(outcome.camera.name, outcome.error)
        elif outcome.error is not None:
            warn(f"{outcome.camera.name}: {outcome.error}")

    shown = cameras if view is None else [_also_seen_by(view, camera) for camera in cameras]
    return watch_all(shown, tell=telling.tell, ended=ended, stop=stop, max_frames=max_frames)


def _also_seen_by(view: "LiveView", camera: "WatchedCamera") -> "WatchedCamera":
    """Let the view see what a camera shows, beside who sees it already."""

    def see(observation: "Observation") -> None:
        if camera.see is not None:
            camera.see(observation)
        view.see(camera.name, observation)

    return replace(camera, see=see)


def _sum_up(outcomes: "Sequence[WatchOutcome]", as_json: bool) -> None:
    """Say what came of each source; exit code 1 when one failed."""
    for outcome in outcomes:
        summary = outcome.summary
        if summary is not None and not as_json:
            dropped = f", {summary.dropped} dropped" if summary.dropped else ""
            messages.print(
                f"[dim]{escape(outcome.camera.name)}: {summary.frames} frames{dropped}, "
                f"{summary.decisions} decision(s)[/]"
            )
    if any(outcome.error is not None for outcome in outcomes):
        raise typer.Exit(1)


@contextmanager
def _stopped_by_signals(stop: Event) -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM end the watch in order; the second ends it at once."""

    def end(number: int, _: FrameType | None) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
