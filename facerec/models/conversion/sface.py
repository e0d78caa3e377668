"""Weights of SFace from the ONNX files that OpenCV's model zoo publishes."""

from dataclasses import replace
from pathlib import Path

import keras

from facerec.errors import ModelImportError
from facerec.models.conversion.layers import LayerWeights, matched
from facerec.models.conversion.onnx_graph import OnnxWeights, dequantise_onnx
from facerec.models.sface import SFACE_BLOCKS, build_sface

__all__ = ["sface_from_onnx"]


def sface_from_onnx(path: Path) -> keras.Model:
    """Build SFace with the weights of an ONNX file of the same architecture.

    Raises:
        ModelImportError: the file is not an SFace.
    """
    source = OnnxWeights(dequantise_onnx(path))
    network = build_sface()
    weights = LayerWeights(network)
    names = ["stem"]
    for number in range(1, len(SFACE_BLOCKS) + 1):
        names += [f"block{number}_depthwise", f"block{number}_pointwise"]
    norms, slopes, products = source.normalizations(), source.slopes(), source.products()
    if (len(norms), len(slopes), len(products)) != (len(names) + 2, len(names), 1):
        raise ModelImportError("the file is not an SFace: its normalisations or slopes differ")
    for index, (name, convolution) in enumerate(matched(names, source.convolutions(), "SFace")):
        if name == "stem":
            # Trained on RGB; the Keras network takes BGR.
            convolution = replace(convolution, kernel=convolution.kernel[:, ::-1])
        weights.set_convolution(name, convolution)
        weights.set_normalization(f"{name}_norm", norms[index])
        weights.set(f"{name}_prelu", slopes[index].reshape(1, 1, -1))
    weights.set_normalization("features_norm", norms[-2])
    weight, bias = products[0]
    # The source flattens (channels, 7, 7); Keras flattens (7, 7, channels).
    dense = weight.reshape(len(weight), -1, 7, 7).transpose(2, 3, 1, 0).reshape(-1, len(weight))
    weights.set("embedding", dense, bias)
    weights.set_normalization("embedding_norm", norms[-1])
    weights.finish()
    return network
