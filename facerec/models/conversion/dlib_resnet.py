"""Weights of dlib's face recognition ResNet from the file that its author publishes."""

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from facerec.errors import ModelImportError
from facerec.models.conversion.dlib_dat import DlibLayer, read_layers
from facerec.models.conversion.layers import LayerWeights
from facerec.models.dlib_resnet import DLIB_RESNET_STAGES, build_dlib_resnet

__all__ = ["dlib_resnet_from_dat"]


def dlib_resnet_from_dat(path: Path) -> keras.Model:
    """Build dlib's network with the weights of its ``.dat`` file.

    Raises:
        ModelImportError: the file is not that network.
    """
    layers = read_layers(path.read_bytes())
    names = ["stem"]
    for stage, (_, blocks, _) in enumerate(DLIB_RESNET_STAGES):
        for block in range(blocks):
            names += [f"stage{stage}_block{block}_conv{number}" for number in (0, 1)]
    kinds = [layer.kind for layer in layers]
    if kinds != ["convolution", "affine"] * len(names) + ["dense"]:
        raise ModelImportError(
            f"dlib's face network has {len(names)} convolutions with an affine layer each and one "
            "dense layer; the file is another network"
        )
    network = build_dlib_resnet()
    weights = LayerWeights(network)
    for name, convolution, affine in zip(names, layers[0:-1:2], layers[1:-1:2], strict=True):
        shape = tuple(network.get_layer(name).kernel.shape)
        kernel, bias = _folded(name, shape, convolution, affine)
        if name == "stem":
            kernel = kernel[:, :, ::-1]  # trained on RGB; the Keras network takes BGR
        weights.set(name, kernel, bias)
    weights.set("embedding", _shaped("embedding", layers[-1].parameters, (256, 128)))
    weights.finish()
    return network


def _folded(
    name: str, shape: tuple[int, ...], convolution: DlibLayer, affine: DlibLayer
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fold the affine layer into the convolution: kernel in Keras' layout `shape`, and bias."""
    height, width, inputs, outputs = shape
    values = _shaped(name, convolution.parameters, (inputs * height * width + 1) * outputs)
    scale, shift = _shaped(name, affine.parameters, (2, outputs))
    kernel = values[:-outputs].reshape(outputs, inputs, height, width).transpose(2, 3, 1, 0)
    return kernel * scale, values[-outputs:] * scale + shift


def _shaped(
    name: str, values: NDArray[np.float32], shape: int | tuple[int, ...]
) -> NDArray[np.float32]:
    if values.size != np.prod(shape):
        raise ModelImportError(
            f"layer {name} takes {np.prod(shape)} weights; the file has {values.size}"
        )
    return values.reshape(shape)
