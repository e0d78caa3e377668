"""The network of a run: as it begins, as its best epoch left it, and how it computes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

from facerec.errors import TrainingError
from facerec.models.initialization import initialise
from facerec.models.trainable import build_embedder
from facerec.training.freezing import freeze_all_but
from facerec.training.run_folder import RunFolder
from facerec.training.settings import TrainingSettings

__all__ = ["best_network", "build_network", "is_compiled_whole", "precision_of"]


def build_network(settings: TrainingSettings, start: Path | None) -> keras.Model:
    """Build the embedder with its first weights.

    Args:
        settings: Which one.
        start: ``model.keras`` of the installed network that is adapted; None to begin anew.
    """
    if start is None:
        network = build_embedder(settings.network, settings.embedding_size, settings.chip_size_px)
        initialise(network, settings.seed)
        return network
    network = keras.saving.load_model(start, compile=False)
    freeze_all_but(network, settings.depth)
    return network


def best_network(folder: RunFolder, start: Path | None) -> keras.Model:
    """Build the embedder of a run, in float32, with the averaged weights of its best epoch.

    Raises:
        TrainingError: no epoch has ended yet, or the file is damaged.
    """
    network = build_network(folder.settings, start)
    network.jit_compile = is_compiled_whole()
    weights, _ = folder.best()
    if [w.shape for w in weights] != [tuple(w.shape) for w in network.weights]:
        raise TrainingError(f"{folder.path}/best.npz is of another network; begin the run again")
    network.set_weights(weights)
    return network


@contextmanager
def precision_of(precision: str) -> Iterator[None]:
    """Let layers that are made meanwhile compute in a precision; their weights stay float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def is_compiled_whole() -> bool:
    """Tell whether a step is compiled by XLA as a whole.

    JAX has nothing else. TensorFlow on a CPU is four times as fast without (measured: MobileFaceNet
    at 64 pixels, 31 against 7 pictures a second).
    """
    return bool(keras.backend.backend() == "jax")
