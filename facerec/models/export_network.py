"""Giving an installed network out in a format that other runtimes read."""

import os
import shutil
import tempfile
from enum import StrEnum
from pathlib import Path

from facerec.errors import ModelError
from facerec.models.progress import Progress, Silent
from facerec.models.store import KERAS_FILE, LITERT_FILE, ModelStore
from facerec.models.workshop import ExportJob, Workshop

__all__ = ["ExportFormat", "export_network"]


class ExportFormat(StrEnum):
    """Formats that networks are given out in."""

    LITERT = "litert"
    SAVED_MODEL = "saved_model"
    ONNX = "onnx"


_SUFFIXES = {
    ExportFormat.LITERT: ".tflite",
    ExportFormat.SAVED_MODEL: "",
    ExportFormat.ONNX: ".onnx",
}


def export_network(
    name: str,
    store: ModelStore,
    target_format: ExportFormat,
    output: Path,
    progress: Progress | None = None,
) -> Path:
    """Write an installed network to a file, or to a folder for a SavedModel.

    Args:
        name: Installed network.
        store: Where it is installed.
        target_format: Format to write.
        output: Appears whole or not at all; must not exist yet. An existing folder receives
            ``NAME.tflite``, ``NAME.onnx`` or the folder ``NAME``.
        progress: Told of the work.

    Returns:
        What was written.

    Raises:
        ModelNotFoundError: the network is not installed.
        ModelDamagedError: a file of it is not what was installed.
        ModelError: the output cannot be written, or a ``.tflite`` import is wanted otherwise.
    """
    manifest = store.verify(name)
    output = _target(name, target_format, output)
    if target_format is not ExportFormat.LITERT and KERAS_FILE not in manifest.files:
        raise ModelError(f"network {name} was imported as .tflite; export it as litert")
    (progress or Silent()).stage(f"exporting {name} as {target_format}")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".facerec-export-") as folder:
            made = Path(folder) / f"network{_SUFFIXES[target_format]}"
            _write(name, store, target_format, made)
            os.rename(made, output)
    except OSError as error:
        raise ModelError(f"{output} cannot be written: {error.strerror}") from error
    return output


def _target(name: str, target_format: ExportFormat, output: Path) -> Path:
    """Say what exactly to write, and refuse what is there already."""
    if output.is_dir():
        output = output / f"{name}{_SUFFIXES[target_format]}"
    if output.exists():
        raise ModelError(f"{output} exists already; give another --output")
    return output


def _write(name: str, store: ModelStore, target_format: ExportFormat, made: Path) -> None:
    if target_format is ExportFormat.LITERT:
        shutil.copyfile(store.file(name, LITERT_FILE), made)
    else:
        source = store.file(name, KERAS_FILE)
        with Workshop() as workshop:
            workshop.do(ExportJob(str(source), str(target_format), str(made)))
