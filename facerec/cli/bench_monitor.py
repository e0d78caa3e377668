"""``facerec bench monitor``: how many cameras this machine watches."""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.console import Home, Json, emit, messages, output, stated_failures

if TYPE_CHECKING:
    from collections.abc import Callable

    from facerec.evaluation.monitor_benchmark import StreamCost, StreamLoad
    from facerec.settings import Settings
    from facerec.video.frame import Frame
    from facerec.video.observation import TrackDecision

__all__ = ["bench_monitor"]

_DEFAULT_STREAMS = (1, 4, 8)


def bench_monitor(
    source: Annotated[Path, typer.Option("--source", help="A film of one person.", exists=True)],
    streams: Annotated[
        list[int] | None,
        typer.Option("--streams", min=1, help="Streams.  [default: 1 4 8]"),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=2, help="Of each measurement.")] = 6,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Print streams against latency and drops, beside frame-by-frame analysis with OpenCV."""
    with stated_failures(), TemporaryDirectory() as scratch:
        from facerec.settings import load_settings

        settings = load_settings(home, inference={"threads": 1})
        wanted = tuple(streams or _DEFAULT_STREAMS)
        cost, ours, opencv = _measure(settings, source, wanted, seconds, Path(scratch))
    if as_json:
        emit(
            {
                "cost": asdict(cost),
                "facerec": [asdict(load) for load in ours],
                "opencv_frame_by_frame": [asdict(load) for load in opencv],
            }
        )
        return
    output.print(
        f"one stream takes {cost.deciding:.0%} of a core while deciding, "
        f"{cost.decided:.0%} after\n{'':21}streams  looked at  dropped  behind p50/p99  "
        "slowest decision  cores",
        soft_wrap=True,
    )
    for name, loads in (("facerec", ours), ("OpenCV, every frame", opencv)):
        for load in loads:
            output.print(_row(name, load), soft_wrap=True)


def _row(name: str, load: "StreamLoad") -> str:
    slowest = "" if load.decision_s_max is None else f"{load.decision_s_max:.2f} s"
    return (
        f"{name:<20} {load.streams:7}  {load.looked_at_fps:5.1f} fps  {load.dropped_share:7.1%}  "
        f"{load.behind_ms_p50:5.0f}/{load.behind_ms_p99:4.0f} ms  {slowest:>16}  {load.cores:5.2f}"
    )


def _measure(
    settings: "Settings",
    source: Path,
    streams: tuple[int, ...],
    seconds: float,
    scratch: Path,
) -> "tuple[StreamCost, list[StreamLoad], list[StreamLoad]]":
    """Measure the cost of one stream, then each number of streams with both, in turn."""
    from facerec.assembly import build_analyzer, open_gallery
    from facerec.evaluation.monitor_benchmark import (
        enrol_from,
        looked_at_by,
        loop_film,
        measure_cost,
        measure_load,
    )
    from facerec.monitor_assembly import MONITORED_SIZES, MonitorMaker

    own = settings.model_copy(update={"home": scratch})
    film = loop_film(source, scratch / "film.avi", seconds)
    with open_gallery(own) as gallery:
        analyzer = build_analyzer(settings, prepared_sizes=MONITORED_SIZES)
        enrol_from(film, analyzer, gallery, settings.gallery)
        maker = MonitorMaker.of(settings, gallery, analyzer)
        with messages.status("One stream"):
            # Twice, as first calls prepare buffers.
            measure_cost(film, maker.monitor("warm", [settings.gallery]))
            cost = measure_cost(film, maker.monitor("one", [settings.gallery]))
        ours, opencv = [], []
        for number in streams:
            with messages.status(f"{number} stream(s)"):
                monitors = [maker.monitor(f"camera-{i}", [settings.gallery]) for i in range(number)]
                ours.append(measure_load(film, [looked_at_by(each) for each in monitors]))
                opencv.append(measure_load(film, _every_frame(settings, number, scratch)))
    return cost, ours, opencv


def _every_frame(
    settings: "Settings", number: int, scratch: Path
) -> "list[tuple[Callable[[Frame], None], list[TrackDecision]]]":
    """Return what detects and embeds each frame with OpenCV's own networks, one a stream."""
    from facerec.evaluation.pipeline_benchmark import OpenCvPipeline
    from facerec.models.pull import write_source_graph
    from facerec.models.store import ModelStore

    analysis, store = settings.analysis, ModelStore(settings.models_dir)
    graphs = (scratch / "detector.onnx", scratch / "embedder.onnx")
    for name, graph in zip((analysis.detector, analysis.embedder), graphs, strict=True):
        if not graph.exists():
            write_source_graph(name, store, graph)

    def looker() -> "Callable[[Frame], None]":
        pipeline = OpenCvPipeline(*graphs, analysis.min_detection_score, threads=1)

        def look(frame: "Frame") -> None:
            pipeline(frame.image_bgr)

        return look

    return [(looker(), []) for _ in range(number)]
