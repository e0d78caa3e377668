"""Embedders in the ONNX layouts that public ArcFace and AdaFace training code exports.

PyTorch's exporter merges a normalisation into the convolution before it or leaves it, as its
options say; both forms are read. InsightFace's IResNet projects the first block's input by a
convolution, AdaFace's takes every second pixel; AdaFace's applies the projection before the other
branch. So a convolution is known by its kernel's size and its place among those of that size.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import onnx
from numpy.typing import NDArray

from facerec.errors import ModelImportError
from facerec.models.conversion.layers import LayerWeights
from facerec.models.conversion.onnx_constants import settle_constants
from facerec.models.conversion.onnx_graph import (
    Convolution,
    Normalization,
    OnnxWeights,
    dequantise_onnx,
)
from facerec.models.iresnet import IRESNET_BLOCKS, build_iresnet
from facerec.models.mobilefacenet import MOBILEFACENET_STAGES, build_mobilefacenet

__all__ = ["embedder_from_onnx"]

Offset = tuple[float, float, float]
_RESHAPES = ("Unsqueeze", "Squeeze", "Reshape")


@dataclass(frozen=True, eq=False)
class _Graph:
    """The weights of a graph, by what they do.

    Attributes:
        convolutions: In order.
        norms: Normalisation behind each convolution; None where it was merged into it.
        free: Normalisations behind something else, in order.
        slopes: Of the PReLUs, in order.
        dense: Weight (out, in) of the dense layer.
        bias: Its bias, zeros where it has none.
        embedding: Normalisation behind the dense layer; None where it was merged.
    """

    convolutions: list[Convolution]
    norms: list[Normalization | None]
    free: list[Normalization]
    slopes: list[NDArray[np.float32]]
    dense: NDArray[np.float32]
    bias: NDArray[np.float32]
    embedding: Normalization | None

    @property
    def epsilon(self) -> float:
        """Epsilon of the normalisations that are left; PyTorch's usual one if none is."""
        left = [n for n in (*self.norms, *self.free, self.embedding) if n is not None]
        return left[0].epsilon if left else 1e-5


def embedder_from_onnx(
    path: Path, architecture: str, color_order: str, offset: Offset, scale: float
) -> keras.Model:
    """Build an embedder with the weights of an ONNX file.

    Args:
        path: ONNX file.
        architecture: ``"iresnet18"``, ``"iresnet50"``, ``"iresnet100"`` or ``"mobilefacenet"``.
        color_order: ``"rgb"`` or ``"bgr"``: what the graph takes; the Keras network takes BGR.
        offset: Subtracted from pixels, in that order.
        scale: Multiplied after that.

    Raises:
        ModelImportError: the file is not of that layout.
    """
    graph = _read(path)
    if color_order == "rgb":
        offset = (offset[2], offset[1], offset[0])
        stem = graph.convolutions[0]
        graph.convolutions[0] = replace(stem, kernel=stem.kernel[:, ::-1])
    if architecture == "mobilefacenet":
        return _mobilefacenet(graph, offset, scale)
    return _iresnet(graph, int(architecture.removeprefix("iresnet")), offset, scale)


def _iresnet(graph: _Graph, depth: int, offset: Offset, scale: float) -> keras.Model:
    blocks = [
        f"stage{stage}_block{number}"
        for stage, count in enumerate(IRESNET_BLOCKS[depth], start=1)
        for number in range(count)
    ]
    pairs = list(zip(graph.convolutions, graph.norms, strict=True))
    wide = [pair for pair in pairs if pair[0].kernel.shape[2] == 3]
    narrow = [pair for pair in pairs if pair[0].kernel.shape[2] == 1]
    expected = (1 + 2 * len(blocks), len(blocks) + 1, len(blocks) + 1)
    received = (len(wide), len(graph.free), len(graph.slopes))
    if received != expected or len(narrow) not in (3, 4):
        raise ModelImportError(
            f"an IResNet-{depth} has {expected} 3x3 convolutions, normalisations before "
            f"convolutions and PReLUs; the file has {received}: it is of another architecture"
        )
    size, features = graph.dense.shape
    network = build_iresnet(
        depth,
        size,
        16 * _root(features / 512),
        offset=offset,
        scale=scale,
        epsilon=graph.epsilon,
        first_shortcut=len(narrow) == 4,
    )
    weights = LayerWeights(network)
    names = ["stem", *(f"{block}_{part}" for block in blocks for part in ("first", "second"))]
    firsts = [block for block in blocks if block.endswith("block0")][4 - len(narrow) :]
    for name, pair in zip([*names, *(f"{f}_shortcut" for f in firsts)], wide + narrow, strict=True):
        _set(weights, network, name, *pair)
    for name, norm in zip([*(f"{b}_input" for b in blocks), "features"], graph.free, strict=True):
        weights.set_normalization(f"{name}_norm", norm)
    for name, slopes in zip(["stem", *blocks], graph.slopes, strict=True):
        weights.set(f"{name}_prelu", slopes.reshape(1, 1, -1))
    side = _root(features / 512)
    # The source flattens (channels, side, side); Keras flattens (side, side, channels).
    dense = graph.dense.reshape(size, -1, side, side).transpose(2, 3, 1, 0).reshape(-1, size)
    weights.set("embedding", np.ascontiguousarray(dense), graph.bias)
    _set_norm(weights, network, "embedding", graph.embedding, np.zeros(size, np.float32))
    weights.finish()
    return network


def _mobilefacenet(graph: _Graph, offset: Offset, scale: float) -> keras.Model:
    blocks = [
        f"stage{stage}_block{number}"
        for stage, (*_, more) in enumerate(MOBILEFACENET_STAGES, start=1)
        for number in range(more + 1)
    ]
    activated = ["stem", "stem2"]
    names = list(activated)
    for block in blocks:
        names += [f"{block}_{part}" for part in ("widen", "depthwise", "narrow")]
        activated += [f"{block}_widen", f"{block}_depthwise"]
    names, activated = [*names, "last", "global"], [*activated, "last"]
    received = (len(graph.convolutions), len(graph.slopes), len(graph.free))
    if received != (len(names), len(activated), 0):
        raise ModelImportError(
            f"a MobileFaceNet has {len(names)} convolutions and {len(activated)} PReLUs; the file "
            f"has {received[0]} and {received[1]}: it is of another architecture"
        )
    size = len(graph.dense)
    network = build_mobilefacenet(
        size,
        16 * graph.convolutions[-1].kernel.shape[2],
        width=max(len(graph.convolutions[0].kernel) // 64, 1),
        offset=offset,
        scale=scale,
        epsilon=graph.epsilon,
    )
    weights = LayerWeights(network)
    for name, convolution, norm in zip(names, graph.convolutions, graph.norms, strict=True):
        _set(weights, network, name, convolution, norm)
    for name, slopes in zip(activated, graph.slopes, strict=True):
        weights.set(f"{name}_prelu", slopes.reshape(1, 1, -1))
    weights.set("embedding", np.ascontiguousarray(graph.dense.T))
    _set_norm(weights, network, "embedding", graph.embedding, graph.bias)
    weights.finish()
    return network


def _set(
    weights: LayerWeights,
    network: keras.Model,
    name: str,
    source: Convolution,
    norm: Normalization | None,
) -> None:
    """Set a convolution and the normalisation behind it."""
    depthwise = isinstance(network.get_layer(name), keras.layers.DepthwiseConv2D)
    groups = source.groups if depthwise else 1
    weights.set_convolution(name, replace(source, bias=None, groups=groups))
    bias = np.zeros(len(source.kernel), np.float32) if source.bias is None else source.bias
    _set_norm(weights, network, name, norm, bias)


def _set_norm(
    weights: LayerWeights,
    network: keras.Model,
    name: str,
    norm: Normalization | None,
    bias: NDArray[np.float32],
) -> None:
    """Set a normalisation, or one that only adds a bias where it was merged."""
    epsilon = network.get_layer(f"{name}_norm").epsilon
    ones = np.ones(len(bias), np.float32)
    if norm is None:
        gamma = ones * np.float32(np.sqrt(1 + epsilon))
        norm = Normalization(gamma, bias, np.zeros_like(bias), ones, epsilon)
    elif bias.any():
        norm = replace(norm, mean=norm.mean - bias)
    weights.set_normalization(f"{name}_norm", norm)


def _read(path: Path) -> _Graph:
    model = settle_constants(dequantise_onnx(path))
    source = OnnxWeights(model)
    makers = {output: node for node in model.graph.node for output in node.output}
    behind: dict[str, Normalization] = {}
    free: list[Normalization] = []
    embedding: Normalization | None = None
    nodes = [node for node in model.graph.node if node.op_type == "BatchNormalization"]
    for node, norm in zip(nodes, source.normalizations(), strict=True):
        maker = makers.get(node.input[0])
        kind = "" if maker is None else maker.op_type
        if maker is not None and kind == "Conv":
            behind[maker.output[0]] = norm
        elif maker is not None and _is_dense(maker, makers):
            embedding = norm
        else:
            free.append(norm)
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    dense, bias = _dense(model.graph, source)
    return _Graph(
        source.convolutions(),
        [behind.get(node.output[0]) for node in convolutions],
        free,
        source.slopes(),
        dense,
        bias,
        embedding,
    )


def _is_dense(node: onnx.NodeProto, makers: dict[str, onnx.NodeProto]) -> bool:
    """Tell whether a node is a dense layer, or adds the bias of one."""
    if node.op_type in _RESHAPES:  # older PyTorch normalises one-dimensional features as images
        return node.input[0] in makers and _is_dense(makers[node.input[0]], makers)
    if node.op_type == "Add":
        return any(_is_dense(makers[name], makers) for name in node.input if name in makers
                   and makers[name].op_type == "MatMul")  # fmt: skip
    return node.op_type in ("Gemm", "MatMul")


def _dense(
    graph: onnx.GraphProto, source: OnnxWeights
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return weight (out, in) and bias of the one dense layer, as a product or a Gemm."""
    found = [node for node in graph.node if node.op_type in ("Gemm", "MatMul")]
    if len(found) != 1:
        raise ModelImportError(
            f"the file has {len(found)} dense layers, an embedder one: it is of another "
            "architecture"
        )
    (node,) = found
    weight = source.array(node.input[1])
    transposed = any(a.name == "transB" and a.i for a in node.attribute)
    weight = weight if transposed else np.ascontiguousarray(weight.T)
    bias = next(_biases(graph, source, node), np.zeros(len(weight), np.float32))
    return weight, bias


def _biases(
    graph: onnx.GraphProto, source: OnnxWeights, dense: onnx.NodeProto
) -> Iterator[NDArray[np.float32]]:
    if dense.op_type == "Gemm":
        if len(dense.input) > 2:
            yield source.array(dense.input[2])
        return
    for node in graph.node:
        if node.op_type == "Add" and dense.output[0] in node.input:
            (other,) = (name for name in node.input if name != dense.output[0])
            yield source.array(other)


def _root(value: float) -> int:
    root = round(math.sqrt(value))
    if root < 1 or root * root != value:
        raise ModelImportError(
            "the dense layer does not take a square of 512 features: the file is of another "
            "architecture"
        )
    return root
