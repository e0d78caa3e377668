"""Running an exported network on the CPU with LiteRT and XNNPACK."""

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from facerec.errors import ArrayError, ModelDamagedError
from facerec.huge_pages import use_huge_pages
from facerec.inference.native_log import without_chatter

__all__ = ["LiteRtSession"]

_DELEGATE_NOTICE = "INFO: Created TensorFlow Lite XNNPACK delegate"

PREPARED_BYTES = 16 * 2**20
"""Weights that the interpreters prepared for other input sizes may hold in all.

Measured on 2 cores: preparing SFace (38 MB) for another batch size takes 0.1 ms but a second
interpreter of it 80 MB; preparing YuNet (0.2 MB) for 640x480 takes 6 ms, as long as running it.
So large networks have one interpreter, which is resized, and small ones several."""

MOST_PREPARED = 2
"""Input sizes that a small network is kept prepared for unless more is asked for: pictures and
their close-ups need two. Each further one takes 20 MB or so of a server that is sent pictures of
many shapes to, and saves the 6 ms above when a shape comes again."""

PREPARED_PIXELS = 1_000_000
"""Input pixels that a network is kept prepared for in all, beside the size last used. Measured with
YuNet: 45 bytes a pixel."""


HUGE_PAGES_AFTER = 4
"""Runs of one interpreter after which the process's memory goes into huge pages. That takes 20 ms,
and then each run a tenth less: a camera's frames are worth it, a picture is not."""

_LARGEST_BYTES = 256 * 2**20
"""Larger mappings are a gallery's, whose index sees to them itself when it is made."""


@dataclass
class _Prepared:
    interpreter: Any
    input_index: int
    output_index: int
    runs: int = 0


class LiteRtSession:
    """A network in a ``.tflite`` file, run by LiteRT with the XNNPACK delegate.

    Safe to call from several threads; calls run one after another, each on `threads` threads.
    """

    def __init__(self, path: Path, threads: int, most_prepared: int = MOST_PREPARED) -> None:
        """Load the network.

        Args:
            path: The ``.tflite`` file, with one input (n, h, w, 3) and one float32 output.
            threads: Threads of one run, from 1.
            most_prepared: Input sizes that a small network is kept prepared for, from 1.

        Raises:
            ModelDamagedError: the file is missing, or not such a network.
        """
        self._path = path
        self._threads = threads
        self._lock = threading.Lock()
        self._prepared: OrderedDict[tuple[int, ...], _Prepared] = OrderedDict()
        first = self._load()
        details = first.interpreter.get_input_details()[0]
        self._signature = tuple(int(size) for size in details["shape_signature"])
        self._dtype = np.dtype(details["dtype"])
        if len(self._signature) != 4 or self._signature[3] != 3:
            raise ModelDamagedError(
                f"{path} must take images (n, h, w, 3); it takes {self._signature}"
            )
        self._spare: _Prepared | None = first
        capacity = PREPARED_BYTES // max(1, path.stat().st_size)
        self._capacity = min(max(1, capacity), most_prepared)

    def run(self, batch: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network once; see `InferenceSession.run`."""
        self._check(batch)
        if self._signature[0] == 1 and len(batch) > 1:
            return np.concatenate([self.run(batch[i : i + 1]) for i in range(len(batch))])
        with self._lock:
            prepared = self._prepare(batch.shape)
            prepared.interpreter.set_tensor(prepared.input_index, batch)
            try:
                prepared.interpreter.invoke()
            except RuntimeError as error:
                raise ModelDamagedError(
                    f"{self._path} cannot be run: {_one_line(error)}"
                ) from error
            output: NDArray[np.float32] = prepared.interpreter.get_tensor(prepared.output_index)
            prepared.runs += 1
            often = prepared.runs == HUGE_PAGES_AFTER
        if often:
            use_huge_pages(_LARGEST_BYTES)
        return output

    def _check(self, batch: NDArray[Any]) -> None:
        fits = (
            batch.ndim == 4
            and batch.dtype == self._dtype
            and min(batch.shape) >= 1
            and all(
                wanted in (-1, size)
                for wanted, size in zip(self._signature[1:], batch.shape[1:], strict=True)
            )
        )
        if not fits:
            raise ArrayError(
                f"batch must be {self._dtype} of shape {self._signature} (-1: any); "
                f"received {batch.dtype} of shape {batch.shape}"
            )

    def _prepare(self, shape: tuple[int, ...]) -> _Prepared:
        """Give the interpreter laid out for `shape`; the one least lately used makes way."""
        found = self._prepared.get(shape)
        if found is not None:
            self._prepared.move_to_end(shape)
            return found
        self._make_room()
        prepared, self._spare = self._spare or self._load(), None
        self._resize(prepared, shape)
        self._prepared[shape] = prepared
        return prepared

    def _make_room(self) -> None:
        """Let go of the least lately used interpreters; keep one of them to be resized."""
        while self._prepared and (
            len(self._prepared) >= self._capacity
            or sum(math.prod(kept[:3]) for kept in self._prepared) > PREPARED_PIXELS
        ):
            _, self._spare = self._prepared.popitem(last=False)

    def _resize(self, prepared: _Prepared, shape: tuple[int, ...]) -> None:
        interpreter = prepared.interpreter
        if self._capacity > 1:  # of a large network most memory is its weights, which stay
            prepared.runs = 0
        try:
            # The delegate is made here, and LiteRT says so once a process.
            with without_chatter(_DELEGATE_NOTICE):
                interpreter.resize_tensor_input(prepared.input_index, shape)
                interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            self._spare = self._load()
            raise ArrayError(f"the network cannot take a batch of shape {shape}") from error

    def _load(self) -> _Prepared:
        if not self._path.is_file():
            raise ModelDamagedError(f"{self._path} is missing; pull or import the network again")
        try:
            with without_chatter(_DELEGATE_NOTICE):
                interpreter = Interpreter(str(self._path), num_threads=self._threads)
            inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        except (RuntimeError, ValueError) as error:
            raise ModelDamagedError(
                f"{self._path} is not a readable LiteRT network; pull or import it again "
                f"({_one_line(error)})"
            ) from error
        if len(inputs) != 1 or len(outputs) != 1 or outputs[0]["dtype"] is not np.float32:
            raise ModelDamagedError(
                f"{self._path} must have one input and one float32 output; "
                f"it has {len(inputs)} and {len(outputs)}"
            )
        return _Prepared(interpreter, int(inputs[0]["index"]), int(outputs[0]["index"]))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
