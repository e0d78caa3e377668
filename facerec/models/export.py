"""Writing a Keras network in the formats that other runtimes read. Imports TensorFlow."""

from pathlib import Path

import keras
import numpy as np

from facerec.models.workshop import ExportJob

__all__ = ["export", "export_litert"]

# Enough to be of the size a network wants where it leaves it free.
_ANY_SIDE_PX = 64


def export_litert(network: keras.Model, path: Path) -> None:
    """Write the network for LiteRT, with the free sizes of its input left free.

    Args:
        network: Network of one input and one output.
        path: File to write; its name ends in ``.tflite``.
    """
    network.export(str(path), format="litert", verbose=False)


def export(job: ExportJob) -> None:
    """Write an installed network as a TensorFlow SavedModel or as ONNX."""
    network = keras.saving.load_model(job.source, compile=False)
    # A network that was loaded must have been called once before Keras exports it.
    network(np.zeros([size or _ANY_SIDE_PX for size in network.inputs[0].shape], np.uint8))
    formats = {"saved_model": "tf_saved_model", "onnx": "onnx"}
    network.export(job.output, format=formats[job.target_format], verbose=False)
