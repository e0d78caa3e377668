"""Running a network with TensorFlow, for machines with a GPU."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from facerec.errors import ArrayError, ModelDamagedError

__all__ = ["TensorFlowSession"]


class TensorFlowSession:
    """A network in a ``.keras`` file, run as a compiled TensorFlow function.

    Safe to call from several threads. Import this module only where the engine was chosen:
    importing TensorFlow takes seconds and hundreds of megabytes.
    """

    def __init__(self, path: Path, threads: int) -> None:
        """Load the network.

        Args:
            path: The ``.keras`` file, with one input (n, h, w, 3) and one float32 output.
            threads: Threads of one run on a CPU; TensorFlow keeps the number that the process
                began with, so the first session decides.

        Raises:
            ModelDamagedError: the file is missing, or not such a network.
        """
        _prepare_runtime(threads)
        try:
            model = keras.saving.load_model(path, compile=False)
        except (ValueError, OSError, TypeError, KeyError) as error:
            raise ModelDamagedError(
                f"{path} is not a readable Keras network; pull or import it again"
            ) from error
        if len(model.inputs) != 1 or len(model.outputs) != 1:
            raise ModelDamagedError(f"{path} must have one input and one output")
        self._signature = tuple(model.inputs[0].shape)
        self._dtype = np.dtype(model.inputs[0].dtype)
        # Called, never `predict`ed: `predict` leaks memory in a loop. The free axes are in the
        # signature so that a new image size does not trace a new function.
        self._function = tf.function(
            lambda batch: model(batch, training=False),
            input_signature=[tf.TensorSpec(self._signature, self._dtype)],
        )

    def run(self, batch: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network once; see `InferenceSession.run`."""
        if batch.ndim != 4 or batch.dtype != self._dtype or not self._takes(batch.shape):
            raise ArrayError(
                f"batch must be {self._dtype} of shape {self._signature} (None: any); "
                f"received {batch.dtype} of shape {batch.shape}"
            )
        try:
            output: Any = self._function(tf.constant(batch))
        except tf.errors.InvalidArgumentError as error:
            raise ArrayError(f"the network cannot take a batch of shape {batch.shape}") from error
        # A copy: TensorFlow owns the memory behind `numpy()`.
        return np.array(output.numpy(), np.float32)

    def _takes(self, shape: tuple[int, ...]) -> bool:
        return min(shape) >= 1 and all(
            wanted in (None, size) for wanted, size in zip(self._signature, shape, strict=True)
        )


def _prepare_runtime(threads: int) -> None:
    """Set threads and let GPU memory grow, unless TensorFlow has begun to work already."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        for device in tf.config.list_physical_devices("GPU"):
            # By default TensorFlow takes all of a GPU's memory at once.
            tf.config.experimental.set_memory_growth(device, True)
    except RuntimeError:
        return
