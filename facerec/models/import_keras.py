"""Reading a user's own ``.keras`` network and exporting it; imports Keras."""

from pathlib import Path

import keras
import numpy as np
from keras import ops

from facerec.errors import ModelDamagedError, ModelImportError
from facerec.models.blocks import pixels_to_float
from facerec.models.export import export_litert
from facerec.models.generated_images import generated_images
from facerec.models.parity import check_parity
from facerec.models.store import KERAS_FILE, LITERT_FILE
from facerec.models.workshop import ImportKerasJob

__all__ = ["import_keras"]


def import_keras(job: ImportKerasJob) -> None:
    """Put the stated preprocessing before a network, save it and export it.

    Raises:
        ModelImportError: the file holds no network of one image and one output, or it cannot be
            exported.
    """
    network = _load(Path(job.source))
    _check_chip(network, job.chip_size_px)
    whole = _with_preprocessing(network, job)
    folder = Path(job.folder)
    side = job.chip_size_px
    images = generated_images(*((2, side, side) if side else (1, 192, 256)))
    try:
        expected = np.asarray(whole(images, training=False))
        whole.save(folder / KERAS_FILE)
        export_litert(whole, folder / LITERT_FILE)
        check_parity(job.name, images, expected, whole, folder / LITERT_FILE)
    except ModelDamagedError as error:
        raise ModelImportError(str(error)) from error
    except Exception as error:  # converters raise whatever they like
        raise ModelImportError(
            f"the network cannot be exported to LiteRT: {_one_line(error)}"
        ) from error


def _load(path: Path) -> keras.Model:
    try:
        # Safe mode (the default) refuses a file that would run code of its own.
        network = keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever a broken file leads to
        raise ModelImportError(
            f"{path.name} cannot be loaded as a Keras network: {_one_line(error)}"
        ) from error
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise ModelImportError(
            f"a network has one input and one output; this one has {len(network.inputs)} and "
            f"{len(network.outputs)}"
        )
    shape = network.inputs[0].shape
    if len(shape) != 4 or shape[3] != 3:
        raise ModelImportError(f"a network takes images (n, h, w, 3); this one takes {shape}")
    return network


def _check_chip(network: keras.Model, chip_size_px: int | None) -> None:
    """Refuse an embedder whose chips are of another size than was stated."""
    _, height, width, _ = network.inputs[0].shape
    if chip_size_px is not None and {height, width} - {None, chip_size_px}:
        raise ModelImportError(
            f"the network takes chips of {width}x{height}; --chip-size says {chip_size_px}"
        )


def _with_preprocessing(network: keras.Model, job: ImportKerasJob) -> keras.Model:
    """Return a network that takes uint8 BGR and does all preprocessing itself."""
    (taken,) = network.inputs
    if taken.dtype == "uint8":
        if job.color_order is not None:
            raise ModelImportError(
                "the network takes uint8, so it does its own preprocessing; leave out "
                "--color-order, --offset and --scale"
            )
        return network
    if job.color_order is None:
        raise ModelImportError(
            f"the network takes {taken.dtype}: state how pixels become its input with "
            "--color-order, --offset and --scale"
        )
    pixels = keras.Input(taken.shape[1:], dtype="uint8", name="image_bgr")
    ordered = ops.flip(pixels, axis=-1) if job.color_order == "rgb" else pixels
    first, second, third = job.offset
    values = pixels_to_float(ordered, offset=(first, second, third), scale=job.scale)
    return keras.Model(pixels, network(values), name="imported")


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) < 200 else f"{text[:197]}..."
