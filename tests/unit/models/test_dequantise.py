"""Undoing weight-only quantisation, against the ONNX project's own reference implementation."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from facerec.errors import ModelImportError
from facerec.models.conversion.onnx_graph import OnnxWeights, dequantise_onnx


def quantised_graph(
    values: np.ndarray, scale: np.ndarray, zero: np.ndarray, shape: list[int], **attributes: int
) -> onnx.ModelProto:
    """x -> x * reshape(dequantise(values)), with the weights declared as inputs too, as some do."""
    arrays = {"q": values, "s": scale, "z": zero, "shape": np.array(shape, np.int64)}
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"], **attributes),
        helper.make_node("Reshape", ["d", "shape"], ["w"]),
        helper.make_node("Mul", ["x", "w"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "quantised",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1]),
            helper.make_tensor_value_info("q", TensorProto.INT8, list(values.shape)),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])


def assert_same(model: onnx.ModelProto, path: Path) -> None:
    x = {"x": np.array([1.5], np.float32)}
    (expected,) = ReferenceEvaluator(model).run(None, x)
    onnx.save(model, str(path))
    plain = dequantise_onnx(path)
    assert [node.op_type for node in plain.graph.node] == ["Mul"]
    assert [value.name for value in plain.graph.input] == ["x"]
    (received,) = ReferenceEvaluator(plain).run(None, x)
    np.testing.assert_allclose(received, expected, rtol=1e-6)


@given(
    rows=st.integers(1, 4),
    blocks=st.integers(1, 4),
    block_size=st.sampled_from([1, 3, 9]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=25)
def test_blocks(tmp_path_factory, rows: int, blocks: int, block_size: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    values = generator.integers(-128, 128, (rows, blocks * block_size)).astype(np.int8)
    scale = generator.uniform(0.01, 1, (rows, blocks)).astype(np.float32)
    zero = generator.integers(-128, 128, (rows, blocks)).astype(np.int8)
    model = quantised_graph(
        values, scale, zero, [blocks * block_size, rows], axis=1, block_size=block_size
    )
    assert_same(model, tmp_path_factory.mktemp("onnx") / "graph.onnx")


def test_one_scale_a_channel(tmp_path: Path) -> None:
    values = np.arange(-6, 6, dtype=np.int8).reshape(3, 4)
    scale = np.array([0.5, 1, 2, 4], np.float32)
    zero = np.array([1, 0, -1, 3], np.int8)
    assert_same(quantised_graph(values, scale, zero, [4, 3], axis=1), tmp_path / "graph.onnx")


def test_one_scale_for_all(tmp_path: Path) -> None:
    values = np.arange(-6, 6, dtype=np.int8).reshape(3, 4)
    model = quantised_graph(values, np.float32(0.25), np.int8(2), [12])
    assert_same(model, tmp_path / "graph.onnx")


@pytest.mark.parametrize("content", [b"", b"not a graph", b"\x08\x07" * 40])
def test_what_is_no_graph_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "graph.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelImportError, match=r"graph\.onnx is not an ONNX network"):
        dequantise_onnx(path)


def test_a_weight_that_is_missing_is_named() -> None:
    values = np.ones((2, 2), np.int8)
    model = quantised_graph(values, np.float32(1), np.int8(0), [4])
    with pytest.raises(ModelImportError, match="no weight named absent"):
        OnnxWeights(model).array("absent")
