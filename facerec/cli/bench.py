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
from facerec.cli.bench_search import bench_search
from facerec.cli.bench_serve import bench_serve
from facerec.cli.bench_train import bench_train
from facerec.cli.console import Home, Json, emit, messages, output, stated_failures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facerec.evaluation.pipeline_benchmark import PipelineTimes
    from facerec.settings import Settings

__all__ = ["bench"]

bench = typer.Typer(help="Measure speed, side by side with what else you could pick.")
bench.command("serve")(bench_serve)
bench.command("monitor")(bench_monitor)
bench.command("train")(bench_train)
bench.command("enrol")(bench_enrol)
bench.command("search")(bench_search)


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
        f"\nratio    {times.ratio_to_opencv:6.3f}",
        soft_wrap=True,
    )


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
    from facerec.video.open_source import open_source

    with open_source(source) as opened:
        for frame in opened:
            yield frame.image_bgr
