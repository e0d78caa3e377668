"""``facerec train detector``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from facerec.cli.console import Home, Json, emit, messages, output, stated_failures
from facerec.cli.train_setup import Backend, load_keras

__all__ = ["detector"]


def detector(
    images: Annotated[Path, typer.Argument(help="Folder of images.", show_default=False)],
    boxes: Annotated[
        Path,
        typer.Option("--boxes", help="JSON of boxes and landmarks, as `facerec evaluate` reads."),
    ],
    output_path: Annotated[
        Path, typer.Option("--output", "-o", help=".keras file to write.", show_default=False)
    ],
    folds: Annotated[int, typer.Option("--folds", min=2, help="Folds of the images.")] = 5,
    judged: Annotated[int, typer.Option("--judge", min=1, help="Fold judged on.")] = 1,
    learn: Annotated[
        str,
        typer.Option(
            "--learn",
            help="What may change: boxes (where they end; what is found stays), heads (scores and "
            "landmarks too) or all (the features too).",
        ),
    ] = "boxes",
    epochs: Annotated[int, typer.Option("--epochs", min=1)] = 20,
    learning_rate: Annotated[
        float, typer.Option("--learning-rate", min=0, help="0 for the usual one of --learn.")
    ] = 0.0,
    side: Annotated[int, typer.Option("--side", help="Side of the squares learned from.")] = 320,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    backend: Backend = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Fit the installed YuNet to annotated images, judged on those that it did not see."""
    with stated_failures():
        _check(output_path)
        start = _installed(home)
        load_keras(backend)
        from facerec.training.detector_training import DetectorSettings

        chosen = DetectorSettings(learn, epochs, 8, side, learning_rate, seed)
        record = _trained(start, images, boxes, (folds, judged), chosen, output_path, json)
    if json:
        emit(record)
        return
    for overlap, (before, after) in record["average_precision"].items():
        output.print(f"average precision at overlap {overlap}: {before:.4f} -> {after:.4f}")
    output.print(
        f"{output_path} written; next: facerec models import {output_path} --name NAME --task "
        "detector --architecture yunet",
        soft_wrap=True,
    )


def _check(output_path: Path) -> None:
    from facerec.errors import TrainingError

    if output_path.exists() or output_path.suffix != ".keras":
        raise TrainingError(f"{output_path} must be a .keras file that is not there yet")
    if not output_path.parent.is_dir():
        raise TrainingError(f"there is no folder {output_path.parent}; make it first")


def _installed(home: Path | None) -> Path:
    """Return the Keras file of the installed YuNet."""
    from facerec.inference import ModelTask
    from facerec.models.store import KERAS_FILE, ModelStore
    from facerec.settings import load_settings

    store = ModelStore(load_settings(home).models_dir)
    store.require("yunet", ModelTask.DETECTOR)
    return store.file("yunet", KERAS_FILE)


def _trained(
    start: Path,
    images: Path,
    boxes: Path,
    fold: tuple[int, int],
    chosen: Any,
    path: Path,
    quiet: bool,
) -> dict[str, Any]:
    from facerec.evaluation.protocols.detection import read_boxes
    from facerec.training.detector_training import fine_tune, judge_detector, split_images
    from facerec.training.detector_training import saved_detector as save
    from facerec.training.detector_training import start_detector as load

    learned, judged = split_images(read_boxes(boxes), *fold)

    def told(epoch: int, loss: float) -> None:
        if not quiet:
            messages.print(f"epoch {epoch}/{chosen.epochs}  loss {loss:.4f}")

    before = judge_detector(load(start), judged, images)
    network = fine_tune(start, learned, images, chosen, told)
    after = judge_detector(network, judged, images)
    save(network, path)
    return {
        "output": path,
        "learn": chosen.learn,
        "learned": len(learned),
        "judged": len(judged),
        "average_precision": {str(o): [before[o], after[o]] for o in before},
    }
