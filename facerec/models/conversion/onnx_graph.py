"""Reading networks in ONNX: weights by place in the graph, and undoing weight-only quantisation."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from facerec.errors import ModelImportError

__all__ = ["Convolution", "Normalization", "OnnxWeights", "dequantise_onnx", "external_files"]

_MOVES_ONLY = {"Reshape"}


@dataclass(frozen=True, eq=False)
class Convolution:
    """One convolution of a graph.

    Attributes:
        operation: ``"Conv"`` or ``"ConvTranspose"``.
        kernel: float32 as ONNX has it: (out, in / groups, h, w), or (in, out / groups, h, w) when
            transposed.
        bias: float32 (out,); None when the graph has none.
        groups: Groups of channels that are convolved apart from each other.
    """

    operation: str
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32] | None
    groups: int


@dataclass(frozen=True, eq=False)
class Normalization:
    """One batch normalisation of a graph; arrays float32 (channels,)."""

    gamma: NDArray[np.float32]
    beta: NDArray[np.float32]
    mean: NDArray[np.float32]
    variance: NDArray[np.float32]
    epsilon: float


class OnnxWeights:
    """The weights of a graph that holds no quantised ones, in the order of its operations."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._graph = model.graph
        self._tensors = {t.name: t for t in model.graph.initializer}

    def array(self, name: str) -> NDArray[np.float32]:
        """Return the weight of that name as float32.

        Raises:
            ModelImportError: the graph has none.
        """
        if name not in self._tensors:
            raise ModelImportError(
                f"the ONNX graph has no weight named {name}; is it of the architecture you named?"
            )
        return np.asarray(numpy_helper.to_array(self._tensors[name]), np.float32)

    def convolutions(self) -> list[Convolution]:
        """Return every convolution, in the order in which the graph applies them."""
        return [
            Convolution(
                node.op_type,
                self.array(node.input[1]),
                self.array(node.input[2]) if len(node.input) > 2 else None,
                next((a.i for a in node.attribute if a.name == "group"), 1),
            )
            for node in self._nodes("Conv", "ConvTranspose")
        ]

    def normalizations(self) -> list[Normalization]:
        """Return every batch normalisation, in the order in which the graph applies them."""
        return [
            Normalization(
                gamma=self.array(node.input[1]),
                beta=self.array(node.input[2]),
                mean=self.array(node.input[3]),
                variance=self.array(node.input[4]),
                epsilon=next((a.f for a in node.attribute if a.name == "epsilon"), 1e-5),
            )
            for node in self._nodes("BatchNormalization")
        ]

    def slopes(self) -> list[NDArray[np.float32]]:
        """Return the slopes of every PReLU, in the order in which the graph applies them."""
        return [self.array(node.input[1]) for node in self._nodes("PRelu")]

    def products(self) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Return weight (out, in) and bias (out,) of every dense layer, in order."""
        return [
            (self.array(node.input[1]), self.array(node.input[2])) for node in self._nodes("Gemm")
        ]

    def _nodes(self, *operations: str) -> Iterator[onnx.NodeProto]:
        return (node for node in self._graph.node if node.op_type in operations)


def external_files(path: Path) -> tuple[Path, ...]:
    """Return the files in which an ONNX file keeps its weights; none where it holds them itself.

    PyTorch's newer exporter writes ``NAME.onnx.data`` beside ``NAME.onnx``.

    Raises:
        ModelImportError: the file is not an ONNX graph, or a file that it names is not there.
    """
    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except Exception as error:  # onnx raises protobuf's, its own and plain ValueErrors
        raise ModelImportError(f"{path.name} is not an ONNX network that can be read") from error
    named = {
        entry.value
        for tensor in graph.initializer
        if tensor.data_location == onnx.TensorProto.EXTERNAL
        for entry in tensor.external_data
        if entry.key == "location"
    }
    files = tuple(path.parent / name for name in sorted(named))
    for file in files:
        if not file.is_file():
            raise ModelImportError(
                f"{path.name} keeps its weights in {file.name}, which is not there; put it beside "
                f"{path.name}"
            )
    return files


def dequantise_onnx(path: Path) -> onnx.ModelProto:
    """Load a graph and replace its weight-only quantisation by float32 weights.

    Args:
        path: ONNX file. A graph without quantised weights is returned as it is.

    Returns:
        The same graph with every ``DequantizeLinear`` of stored integers, and the ``Reshape`` that
        gives the result its shape, done once: ``(q - zero_point) * scale`` a block, as the ONNX
        standard defines it (operator DequantizeLinear, opset 21). Only true inputs stay declared
        as inputs.

    Raises:
        ModelImportError: the file is not an ONNX graph, or one with its weights is missing.
    """
    external_files(path)
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except Exception as error:  # onnx raises protobuf's, its own and plain ValueErrors
        raise ModelImportError(f"{path.name} is not an ONNX network that can be read") from error
    graph = model.graph
    arrays = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    done = _dequantised_weights(graph, arrays)
    kept = [node for node in graph.node if node.output[0] not in done]
    used = {name for node in kept for name in node.input}
    tensors = [t for t in graph.initializer if t.name in used and t.name not in done]
    tensors += [numpy_helper.from_array(done[name], name) for name in done if name in used]
    inputs = [v for v in graph.input if v.name in used and v.name not in arrays]
    for field, values in (("node", kept), ("initializer", tensors), ("input", inputs)):
        graph.ClearField(field)
        getattr(graph, field).extend(values)
    return model


def _dequantised_weights(
    graph: onnx.GraphProto, arrays: dict[str, NDArray[np.generic]]
) -> dict[str, NDArray[np.float32]]:
    """Compute every tensor that follows from stored integers alone; output name -> float32."""
    done: dict[str, NDArray[np.float32]] = {}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in arrays:
            attributes = {a.name: a.i for a in node.attribute}
            done[node.output[0]] = _dequantise(
                *(arrays[name] for name in node.input),
                axis=attributes.get("axis", 1),
                block_size=attributes.get("block_size", 0),
            )
        elif node.op_type in _MOVES_ONLY and node.input[0] in done and node.input[1] in arrays:
            done[node.output[0]] = done[node.input[0]].reshape(arrays[node.input[1]])
    return done


def _dequantise(
    values: NDArray[np.generic],
    scale: NDArray[np.generic],
    zero_point: NDArray[np.generic],
    *,
    axis: int,
    block_size: int,
) -> NDArray[np.float32]:
    """Undo linear quantisation, by block of `block_size` along `axis`, or by channel of `axis`."""
    if block_size:
        length = values.shape[axis]
        scale, zero_point = (
            np.repeat(a, block_size, axis=axis).take(range(length), axis=axis)
            for a in (scale, zero_point)
        )
    elif scale.ndim == 1 and scale.size > 1:
        shape = [-1 if i == axis else 1 for i in range(values.ndim)]
        scale, zero_point = scale.reshape(shape), zero_point.reshape(shape)
    difference = values.astype(np.int32) - zero_point.astype(np.int32)
    return difference.astype(np.float32) * scale.astype(np.float32)
