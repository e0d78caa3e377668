"""``facerec bench``: speed, side by side with what else a user could pick."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.bench_enrol import bench_enrol
from facerec.cli.bench_monitor import bench_monitor
from facerec.cli.bench_serve import bench_serve
from facerec.cli.bench_train import bench_train
from facerec.cli.console import Home, Json, emit, messages, output, stated_failures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facerec.evaluation.pipeline_benchmark import PipelineTimes
    from facerec.evaluation.search_benchmark import SearchTimes
    from facerec.settings import Settings

__all__ = ["bench"]

bench = typer.Typer(help="Measure speed, side by side with what else you could pick.")
bench.command("serve")(bench_serve)
bench.command("monitor")(bench_monitor)
bench.command("train")(bench_train)
bench.command("enrol")(bench_enrol)


@bench.command()
def pipeline(
    source: Annotated[str, typer.Option("--source", help="A video with faces, or a camera.")],
    frames: Annotated[int, typer.Option("--frames", min=20, help="Frames to run.")] = 300,
    templates: Annotated[
        int, typer.Option("--templates", min=1, help="Size of the gallery that is searched.")
    ] = 1000,
    as_set: Annotated[
        bool,
        typer.Option(
            "--as-set",
            help="Analyse as the settings say, close-up and mirrored chip included, which OpenCV "
            "has not; otherwise with the same steps as OpenCV.",
        ),
    ] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Time a frame's way from pixels to candidates against OpenCV on the same weights."""
    from facerec.settings import load_settings

    with stated_failures():
        same_steps = {"close_up": False, "mirrored_chip": False}
        settings = load_settings(home, analysis={} if as_set else same_steps)
        times = _measure(settings, source, frames, templates)
    if json:
        emit(asdict(times))
        return
    output.print(
        f"{times.frames} frames, {times.faces} faces, {times.templates} templates, "
        f"{settings.inference.threads} threads\n"
        f"facerec  {times.facerec_ms_p50:6.2f} ms a frame (median): "
        + ", ".join(f"{name} {ms:.2f}" for name, ms in times.stages_ms.items())
        + f"\nOpenCV   {times.opencv_ms_p50:6.2f} ms a frame, {times.opencv_faces} faces"
        f"\nratio    {times.ratio_to_opencv:6.3f}"
    )


@bench.command()
def search(
    templates: Annotated[
        list[int] | None,
        typer.Option(
            "--templates", min=1, help="Size of the gallery; may be repeated.  [default: 100000]"
        ),
    ] = None,
    probes: Annotated[int, typer.Option("--probes", min=1, help="Searches to time.")] = 200,
    size: Annotated[int, typer.Option("--size", min=2, help="Numbers in a template.")] = 128,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="PNG file to draw the times over the sizes in.")
    ] = None,
    json: Json = False,
) -> None:
    """Time searching a gallery of made-up people, and hold its answers against NumPy's.

    With --json, one object a size.
    """
    with stated_failures():
        every = [_search_times(count, probes, size) for count in sorted(templates or [100_000])]
        for times in every:
            if json:
                emit(asdict(times))
            else:
                output.print(_told(times))
        if plot is not None:
            _draw(plot, every)


def _search_times(templates: int, probes: int, size: int) -> "SearchTimes":
    from facerec.evaluation.search_benchmark import fill_with_people, measure_search

    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "gallery.db"
        with messages.status(f"Enrolling {templates}"):
            embeddings = fill_with_people(path, templates, size)
        with messages.status("Searching"):
            return measure_search(path, embeddings, probes)


def _told(times: "SearchTimes") -> str:
    return (
        f"{times.templates} templates, {times.index}\n"
        f"search   {times.p50_ms:.2f} ms (median), {times.p99_ms:.2f} ms (99 of 100)\n"
        f"recall@1 {times.recall_at_1:.4f} against NumPy, scores within "
        f"{times.largest_score_error:.1e}\n"
        f"memory   {times.bytes_per_template:.0f} bytes a template\n"
        f"opening  {times.open_from_snapshot_s:.2f} s with a snapshot, "
        f"{times.open_from_database_s:.2f} s without"
    )


def _draw(path: Path, every: "list[SearchTimes]") -> None:
    import numpy as np

    from facerec.errors import EvaluationError
    from facerec.evaluation.report.plots import search_time_plot

    figure = search_time_plot(
        path.stem,
        np.array([times.templates for times in every]),
        np.array([times.p50_ms for times in every]),
        np.array([times.p99_ms for times in every]),
    )
    try:
        path.write_bytes(figure.png)
    except OSError as error:
        raise EvaluationError(
            f"cannot write {path}: {error.strerror}; choose another file"
        ) from error


def _measure(settings: "Settings", source: str, frames: int, templates: int) -> "PipelineTimes":
    from facerec.assembly import build_analyzer
    from facerec.evaluation.pipeline_benchmark import (
        OpenCvPipeline,
        StageClock,
        fill_gallery,
        measure_pipeline,
    )
    from facerec.gallery.gallery import Gallery
    from facerec.inference import ModelTask
    from facerec.models.pull import write_source_graph
    from facerec.models.store import ModelStore

    analysis, store = settings.analysis, ModelStore(settings.models_dir)
    clock = StageClock()
    analyzer = build_analyzer(settings, clock)
    with TemporaryDirectory() as scratch, Gallery.open(Path(scratch) / "gallery.db") as gallery:
        size = store.require(analysis.embedder, ModelTask.EMBEDDER).embedding_size
        with messages.status("Filling a gallery"):
            fill_gallery(gallery, analyzer.embedding_space, size, templates)
        graphs = (Path(scratch) / "detector.onnx", Path(scratch) / "embedder.onnx")
        for name, graph in zip((analysis.detector, analysis.embedder), graphs, strict=True):
            write_source_graph(name, store, graph)
        opencv = OpenCvPipeline(*graphs, analysis.min_detection_score, settings.inference.threads)
        with messages.status("Timing"):
            images = islice(_images(source), frames)
            return measure_pipeline(images, analyzer, clock, gallery, opencv)


def _images(source: str) -> Iterator["NDArray[np.uint8]"]:
    from facerec.video.source import open_source

    with open_source(source) as opened:
        for frame in opened:
            yield frame.image_bgr
