"""Weights of YuNet from the ONNX files that OpenCV's model zoo publishes."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from facerec.models.conversion.layers import LayerWeights, matched
from facerec.models.conversion.onnx_graph import Convolution, OnnxWeights, dequantise_onnx
from facerec.models.yunet import YUNET_STRIDES, build_yunet

__all__ = ["yunet_from_onnx"]

_UNITS = (
    "stage0",
    *(f"stage{stage}_unit{unit}" for stage in range(1, 6) for unit in (0, 1)),
    "neck_32",
    "neck_16",
    "neck_8",
)
_BRANCHES_IN_GRAPH = ("class", "box", "objectness", "landmarks")
_BRANCHES_IN_HEAD = ("class", "objectness", "box", "landmarks")


def yunet_from_onnx(path: Path) -> keras.Model:
    """Build YuNet with the weights of an ONNX file of the same architecture.

    Raises:
        ModelImportError: the file is not a YuNet.
    """
    network = build_yunet()
    weights = LayerWeights(network)
    body = ["stem", *(f"{unit}_{part}" for unit in _UNITS for part in ("pointwise", "depthwise"))]
    heads = [
        f"{branch}_{stride}_{part}"
        for branch in _BRANCHES_IN_GRAPH
        for stride in YUNET_STRIDES
        for part in ("pointwise", "depthwise")
    ]
    found = dict(matched(body + heads, _convolutions(path), "YuNet"))
    for name in body:
        weights.set_convolution(name, found[name])
    for stride in YUNET_STRIDES:
        for part in ("pointwise", "depthwise"):
            branches = [found[f"{branch}_{stride}_{part}"] for branch in _BRANCHES_IN_HEAD]
            weights.set_convolution(f"head_{stride}_{part}", _side_by_side(branches))
    weights.finish()
    return network


def _convolutions(path: Path) -> list[Convolution]:
    return OnnxWeights(dequantise_onnx(path)).convolutions()


def _side_by_side(branches: list[Convolution]) -> Convolution:
    """Join convolutions of the same input (or each of its own channels) along their outputs."""
    kernel = np.concatenate([b.kernel for b in branches])
    biases = [np.zeros(len(b.kernel), np.float32) if b.bias is None else b.bias for b in branches]
    # A depthwise branch of one channel is an ungrouped convolution in the graph.
    groups = len(kernel) if kernel.shape[1] == 1 else 1
    return replace(branches[0], kernel=kernel, bias=np.concatenate(biases), groups=groups)
