"""Embedders as public ArcFace and AdaFace code exports them, with random weights made here.

The graphs follow what PyTorch 2.13 wrote of InsightFace's ``iresnet.py`` and ``mobilefacenet.py``
and of AdaFace's ``net.py``, by its older exporter (opsets 11 to 17) and its newer one (opset 18): a
batch of one in input and shapes, equal weights named again by Identity nodes, ones and zeros of a
normalisation without factors as Constant nodes, embeddings with their lengths as a second output.
"""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from facerec.errors import ModelImportError
from facerec.inference import ModelTask, Preprocessing
from facerec.inference.litert_session import LiteRtSession
from facerec.models.conversion.embedder_layouts import embedder_from_onnx
from facerec.models.generated_images import generated_images
from facerec.models.import_network import ImportRequest, import_network, weights_hash
from facerec.models.parity import embedder_reference
from facerec.models.store import LITERT_FILE, ModelStore

BLOCKS = {"iresnet18": (2, 2, 2, 2), "iresnet50": (3, 4, 14, 3)}


class Layout:
    """Writes graphs node by node, as torch.onnx does from the PyTorch code of these networks."""

    def __init__(self, *, merged: bool, side: int) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []
        self._merged, self._random, self._side = merged, np.random.default_rng(11), side

    def tensor(self, array: np.ndarray) -> str:
        name = f"w{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(array.astype(np.float32), name))
        return name

    def node(self, kind: str, *inputs: str, **attributes) -> str:
        output = f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def conv(self, x: str, taken: int, made: int, size: int, stride=1, groups=1, pad=None) -> str:
        fan = taken // groups * size * size
        kernel = self._random.standard_normal((made, taken // groups, size, size)) / np.sqrt(fan)
        pads = [size // 2 if pad is None else pad] * 4
        inputs = [x, self.tensor(kernel)]
        if self._merged:
            inputs.append(self.tensor(0.1 * self._random.standard_normal(made)))
        x = self.node("Conv", *inputs, kernel_shape=[size, size], strides=[stride] * 2, pads=pads,
                      group=groups)  # fmt: skip
        return x if self._merged else self.norm(x, made)

    def norm(self, x: str, channels: int) -> str:
        draw = self._random
        arrays = (
            draw.uniform(0.5, 1.5, channels),
            0.1 * draw.standard_normal(channels),
            0.1 * draw.standard_normal(channels),
            draw.uniform(0.5, 1.5, channels),
        )
        return self.node("BatchNormalization", x, *(self.tensor(a) for a in arrays), epsilon=1e-5)

    def prelu(self, x: str, channels: int) -> str:
        return self.node("PRelu", x, self.tensor(self._random.uniform(0, 0.5, (channels, 1, 1))))

    def dense(self, x: str, taken: int, made: int, *, gemm: bool) -> str:
        weight = self._random.standard_normal((made, taken)) / np.sqrt(taken)
        if gemm:
            bias = self.tensor(0.1 * self._random.standard_normal(made))
            return self.node("Gemm", x, self.tensor(weight), bias, transB=1)
        if self._merged:
            return self.node("MatMul", x, self.tensor(weight.T))
        return self.node("MatMul", x, self.node("Transpose", self.tensor(weight), perm=[1, 0]))

    def constant(self, array: np.ndarray) -> str:
        return self.node("Constant", value=numpy_helper.from_array(array))

    def flatten(self, x: str) -> str:
        """``x.view(x.size(0), -1)``, traced with a batch of one."""
        return self.node("Reshape", x, self.constant(np.array([1, -1])))

    def plain_norm(self, x: str, channels: int) -> str:
        """A normalisation without factors: Constant nodes, and weights by another name."""
        ones, zeros = (self.constant(np.full(channels, v, np.float32)) for v in (1, 0))
        mean = self.tensor(0.1 * self._random.standard_normal(channels))
        variance = self.tensor(self._random.uniform(0.5, 1.5, channels))
        again = [self.node("Identity", name) for name in (mean, variance)]
        return self.node("BatchNormalization", x, ones, zeros, *again, epsilon=1e-5)

    def write(self, path: Path, *given: str) -> Path:
        sides = [1, 3, self._side, self._side]
        taken = helper.make_tensor_value_info("data", TensorProto.FLOAT, sides)
        outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, None]) for n in given]
        graph = helper.make_graph(self.nodes, "main_graph", [taken], outputs, self.tensors)
        opset = [helper.make_opsetid("", 13)]
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
        return path


def iresnet(path: Path, name: str, *, side: int, size: int) -> Path:
    """InsightFace's: the projection of a block's input comes after its other branch."""
    layout = Layout(merged=True, side=side)
    x = layout.prelu(layout.conv("data", 3, 64, 3), 64)
    taken = 64
    for channels, count in zip((64, 128, 256, 512), BLOCKS[name], strict=True):
        for number in range(count):
            y = layout.norm(x, taken)
            y = layout.prelu(layout.conv(y, taken, channels, 3), channels)
            y = layout.conv(y, channels, channels, 3, 1 if number else 2)
            identity = x if number else layout.conv(x, taken, channels, 1, 2, pad=0)
            x = layout.node("Add", y, identity)
            taken = channels
    x = layout.node("Flatten", layout.norm(x, 512), axis=1)
    x = layout.dense(x, 512 * (side // 16) ** 2, size, gemm=True)
    return layout.write(path, layout.norm(x, size))


def adaface(path: Path, name: str, *, merged: bool, side: int, size: int) -> Path:
    """AdaFace's: shortcuts first, by a pooling of one pixel where the channels stay as many."""
    layout = Layout(merged=merged, side=side)
    x = layout.prelu(layout.conv("data", 3, 64, 3), 64)
    taken = 64
    for channels, count in zip((64, 128, 256, 512), BLOCKS[name], strict=True):
        for number in range(count):
            stride = 1 if number else 2
            shortcut = (
                layout.node("MaxPool", x, kernel_shape=[1, 1], strides=[stride] * 2)
                if taken == channels
                else layout.conv(x, taken, channels, 1, stride, pad=0)
            )
            y = layout.norm(x, taken)
            y = layout.prelu(layout.conv(y, taken, channels, 3), channels)
            x = layout.node("Add", layout.conv(y, channels, channels, 3, stride), shortcut)
            taken = channels
    x = layout.dense(layout.flatten(layout.norm(x, 512)), 512 * (side // 16) ** 2, size, gemm=True)
    if not merged:  # the newer exporter merges this one into the dense layer
        x = layout.plain_norm(x, size)
    length = layout.node("ReduceL2", x, axes=[1], keepdims=1)
    return layout.write(path, layout.node("Div", x, length), length)


def mobilefacenet(path: Path, *, merged: bool, width: int, side: int, size: int) -> Path:
    """InsightFace's MobileFaceNet: blocks (1, 4, 6, 2), scale `width`."""
    layout = Layout(merged=merged, side=side)

    def active(x: str, taken: int, made: int, kernel: int, stride: int = 1, groups: int = 1) -> str:
        return layout.prelu(layout.conv(x, taken, made, kernel, stride, groups), made)

    def block(x: str, taken: int, made: int, inside: int, stride: int) -> str:
        y = active(active(x, taken, inside, 1), inside, inside, 3, stride, inside)
        return layout.conv(y, inside, made, 1)

    x = active("data", 3, 64 * width, 3, 2)
    x = active(x, 64 * width, 64 * width, 3, 1, 64)
    taken = 64 * width
    for channels, first, inside, more in (
        (64, 128, 128, 4),
        (128, 256, 256, 6),
        (128, 512, 256, 2),
    ):
        x = block(x, taken, channels * width, first, 2)
        taken = channels * width
        for _ in range(more):
            x = layout.node("Add", block(x, taken, taken, inside, 1), x)
    x = active(x, taken, 512, 1)
    x = layout.conv(x, 512, 512, side // 16, 1, 512, pad=0)
    x = layout.dense(layout.flatten(x), 512, size, gemm=False)
    return layout.write(path, layout.norm(x, size))


def imported(path: Path, architecture: str, folder: Path, side: int, **stated) -> np.ndarray:
    store = ModelStore(folder / "models")
    request = ImportRequest(
        path, "own", ModelTask.EMBEDDER, architecture, chip_size_px=side, **stated
    )
    manifest = import_network(request, store)
    assert manifest.architecture == architecture
    session = LiteRtSession(store.file("own", LITERT_FILE), 2)
    return unit(session.run(generated_images(2, side, side)))


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.mark.slow
def test_an_arcface_iresnet_gives_the_graphs_numbers(tmp_path: Path) -> None:
    path = iresnet(tmp_path / "r18.onnx", "iresnet18", side=32, size=64)
    received = imported(path, "iresnet18", tmp_path, 32)
    expected = embedder_reference(path, "rgb", (127.5,) * 3, 1 / 127.5)
    np.testing.assert_allclose(received, unit(expected(generated_images(2, 32, 32))), atol=1e-4)
    with pytest.raises(ModelImportError, match="IResNet-50 has"):
        imported(path, "iresnet50", tmp_path / "wrong", 32)
    with pytest.raises(ModelImportError, match="takes chips of 32 pixels; --chip-size says 112"):
        imported(path, "iresnet18", tmp_path / "size", 112)


@pytest.mark.slow
@pytest.mark.parametrize("merged", [True, False])
def test_an_adaface_iresnet_takes_bgr_and_pools_its_shortcuts(tmp_path: Path, merged: bool) -> None:
    path = adaface(tmp_path / "ir18.onnx", "iresnet18", merged=merged, side=32, size=64)
    stated = Preprocessing(1, "bgr", (127.5, 120.0, 110.0), 1 / 127.5)
    received = imported(path, "iresnet18", tmp_path, 32, preprocessing=stated)
    expected = embedder_reference(path, "bgr", stated.offset, stated.scale)
    np.testing.assert_allclose(received, unit(expected(generated_images(2, 32, 32))), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("merged", "width"), [(True, 2), (False, 1)])
def test_a_mobilefacenet_gives_the_graphs_numbers(tmp_path: Path, merged: bool, width: int) -> None:
    path = mobilefacenet(tmp_path / "mbf.onnx", merged=merged, width=width, side=64, size=128)
    received = imported(path, "mobilefacenet", tmp_path, 64)
    expected = embedder_reference(path, "rgb", (127.5,) * 3, 1 / 127.5)
    np.testing.assert_allclose(received, unit(expected(generated_images(2, 64, 64))), atol=1e-4)


@pytest.mark.slow
def test_an_iresnet50_of_full_size_gives_the_graphs_numbers(tmp_path: Path) -> None:
    path = iresnet(tmp_path / "r50.onnx", "iresnet50", side=112, size=512)
    received = imported(path, "iresnet50", tmp_path, 112)
    expected = embedder_reference(path, "rgb", (127.5,) * 3, 1 / 127.5)
    np.testing.assert_allclose(received, unit(expected(generated_images(2, 112, 112))), atol=1e-4)


def test_weights_beside_the_file_belong_to_it(tmp_path: Path) -> None:
    """PyTorch's newer exporter writes NAME.onnx.data: other weights must be another space."""
    whole = mobilefacenet(tmp_path / "whole.onnx", merged=True, width=1, side=32, size=32)
    path, beside = tmp_path / "split.onnx", tmp_path / "split.onnx.data"
    onnx.save(onnx.load(str(whole)), str(path), save_as_external_data=True, location=beside.name)
    assert path.stat().st_size < 200_000 < beside.stat().st_size
    images = generated_images(2, 32, 32)
    one, other = (
        np.asarray(embedder_from_onnx(file, "mobilefacenet", "rgb", (0.0,) * 3, 1.0)(images))
        for file in (whole, path)
    )
    assert np.array_equal(one, other)
    before = weights_hash(path)
    content = bytearray(beside.read_bytes())
    content[-1] ^= 1
    beside.write_bytes(content)
    assert weights_hash(path) != before
    beside.unlink()
    with pytest.raises(ModelImportError, match=r"keeps its weights in split.onnx.data, which is"):
        weights_hash(path)
    with pytest.raises(ModelImportError, match=r"keeps its weights in split.onnx.data, which is"):
        imported(path, "mobilefacenet", tmp_path, 32)
