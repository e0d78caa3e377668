"""Doing heavy work on networks in a process of its own.

Keras, TensorFlow and the converters take hundreds of megabytes, some seconds to load, and write to
stdout and stderr as they please. In a child process none of that reaches the user's terminal or
outlives the work, and a child that the system kills for its memory is an error like any other.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from facerec import errors

__all__ = ["ConvertJob", "ExportJob", "ImportKerasJob", "Job", "do"]


@dataclass(frozen=True)
class ConvertJob:
    """Convert published weights, export the network and compare both with the source.

    Attributes:
        name: Name of the network, for messages.
        architecture: Keras architecture that takes the weights.
        source: File of the published weights.
        folder: Existing folder that receives ``model.keras`` and ``model.tflite``.
    """

    name: str
    architecture: str
    source: str
    folder: str


@dataclass(frozen=True)
class ImportKerasJob:
    """Put preprocessing before a user's Keras network and export it.

    Attributes:
        name: Name of the network, for messages.
        source: ``.keras`` file.
        folder: Existing folder that receives ``model.keras`` and ``model.tflite``.
        color_order: ``"bgr"`` or ``"rgb"``; None when the network does its own preprocessing.
        offset: Subtracted from each channel, in that order.
        scale: Multiplied after that.
        chip_size_px: Side of an embedder's chips; None for a detector.
    """

    name: str
    source: str
    folder: str
    color_order: str | None
    offset: tuple[float, ...]
    scale: float
    chip_size_px: int | None


@dataclass(frozen=True)
class ExportJob:
    """Write an installed network in another format.

    Attributes:
        source: ``model.keras`` of the network.
        target_format: ``"saved_model"`` or ``"onnx"``.
        output: Folder or file to write; does not exist yet.
    """

    source: str
    target_format: str
    output: str


Job = ConvertJob | ImportKerasJob | ExportJob


def do(job: Job) -> None:
    """Do the job in a child process and wait for it.

    Raises:
        FaceRecError: whichever the job raised.
        ModelError: the child ended without an answer.
    """
    with tempfile.TemporaryDirectory(prefix="facerec-") as folder:
        order, answer = Path(folder) / "order.json", Path(folder) / "answer.json"
        order.write_text(json.dumps({"job": type(job).__name__, **asdict(job)}), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "facerec.models.workshop_process", str(order), str(answer)],
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if not answer.is_file():
            raise errors.ModelError(_no_answer(done))
        _raise_error_of(json.loads(answer.read_text(encoding="utf-8")))


def _raise_error_of(answer: dict[str, str]) -> None:
    if "error" in answer:
        kind = getattr(errors, answer["error"])
        raise kind(answer["message"])


def _no_answer(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        return (
            f"work on the network was ended by signal {-done.returncode}; is there enough memory? "
            "it needs about 1.5 GB"
        )
    last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no output")
    return f"work on the network failed: {last.strip()}"
