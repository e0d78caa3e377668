"""``facerec bench train``."""

from dataclasses import asdict
from typing import Annotated

import typer

from facerec.cli.console import Json, emit, output, stated_failures
from facerec.cli.train_setup import Backend, load_keras

__all__ = ["bench_train"]


def bench_train(
    network: Annotated[str, typer.Option("--network", help="Trainable network.")] = "iresnet50",
    batch: Annotated[int, typer.Option("--batch", min=2, help="Pictures a step.")] = 8,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Steps to time.")] = 5,
    chip_size: Annotated[int, typer.Option("--chip-size", help="Side of the chips.")] = 112,
    precision: Annotated[
        str, typer.Option("--precision", help="float32, mixed_float16 or mixed_bfloat16.")
    ] = "float32",
    peak_tflops: Annotated[
        float | None, typer.Option("--peak-tflops", help="The card's peak in that precision.")
    ] = None,
    backend: Backend = None,
    json: Json = False,
) -> None:
    """Time a training step, and say what share of the card's peak it reaches."""
    with stated_failures():
        from facerec.training.settings import settings_from

        chosen = settings_from(
            {
                "network": network,
                "embedding_size": 512,
                "chip_size_px": chip_size,
                "precision": precision,
                "batch_size": batch,
            }
        )
        load_keras(backend)
        from facerec.training.step_benchmark import measure_step

        times = measure_step(chosen, steps, peak_tflops)
    if json:
        emit(asdict(times))
        return
    share = "" if times.share_of_peak is None else f", {times.share_of_peak:.1%} of the peak"
    output.print(
        f"{times.network} on {times.backend}, {times.precision}: {times.step_ms:.0f} ms a step of "
        f"{times.batch_size}, {times.images_per_s:.1f} images/s, {times.tflops:.3f} TFLOP/s{share}"
    )
