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
from typing import IO, Self, cast

from facerec import errors

__all__ = ["ConvertEmbedderJob", "ConvertJob", "ExportJob", "ImportKerasJob", "Job", "Workshop"]


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
class ConvertEmbedderJob:
    """Convert a user's ONNX embedder of a known layout, export it and compare both with it.

    Attributes:
        name: Name of the network, for messages.
        architecture: Layout of the graph.
        source: ONNX file.
        folder: Existing folder that receives ``model.keras`` and ``model.tflite``.
        color_order: ``"bgr"`` or ``"rgb"``: what the graph takes.
        offset: Subtracted from each channel, in that order.
        scale: Multiplied after that.
        chip_size_px: Side of the chips.
    """

    name: str
    architecture: str
    source: str
    folder: str
    color_order: str
    offset: tuple[float, ...]
    scale: float
    chip_size_px: int


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


Job = ConvertJob | ConvertEmbedderJob | ImportKerasJob | ExportJob


class Workshop:
    """The child process; starts with the first job and takes any number of them.

    Use it as a context manager: leaving it ends the child.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None
        self._said: IO[bytes] = tempfile.TemporaryFile()  # what the child's libraries say

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            self._child.communicate()  # closes its stdin, which ends it
        self._said.close()

    def do(self, job: Job) -> None:
        """Do a job and wait for it.

        Raises:
            FaceRecError: whichever the job raised.
            ModelError: the child ended without an answer.
        """
        if self._child is None:
            self._child = self._started()
        child = self._child
        orders, answers = cast(IO[str], child.stdin), cast(IO[str], child.stdout)
        try:
            orders.write(json.dumps({"job": type(job).__name__, **asdict(job)}) + "\n")
            orders.flush()
            line = answers.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise errors.ModelError(self._last_words(child))
        answer: dict[str, str] = json.loads(line)
        if answer:
            kind = getattr(errors, answer["error"])
            raise kind(answer["message"])

    def _started(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "facerec.models.workshop_process"],
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )

    def _last_words(self, child: subprocess.Popen[str]) -> str:
        """Say why the child is gone."""
        self._child = None
        child.communicate()
        if child.returncode < 0:
            return (
                f"work on the network was ended by signal {-child.returncode}; is there enough "
                "memory? it needs about 1.5 GB"
            )
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no output")
        return f"work on the network failed: {last}"
