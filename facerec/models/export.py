"""Writing a Keras network in the formats that other runtimes read. Imports TensorFlow."""

from pathlib import Path

import keras

__all__ = ["export_litert"]


def export_litert(network: keras.Model, path: Path) -> None:
    """Write the network for LiteRT, with the free sizes of its input left free.

    Args:
        network: Network of one input and one output.
        path: File to write; its name ends in ``.tflite``.
    """
    network.export(str(path), format="litert", verbose=False)
