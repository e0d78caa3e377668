"""Comparing a converted network with the graph that its weights came from."""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from facerec.errors import ArrayError, ModelDamagedError
from facerec.inference.litert_session import LiteRtSession
from facerec.models.conversion.onnx_graph import dequantise_onnx
from facerec.models.generated_images import generated_images

__all__ = [
    "TOLERANCE",
    "Reference",
    "centerface_reference",
    "check_parity",
    "dlib_resnet_reference",
    "embedder_reference",
    "sface_reference",
    "yunet_reference",
]

TOLERANCE = 1e-4
"""Largest difference allowed, of unit embeddings or of a detector's numbers a cell."""

Array = NDArray[np.float32]
Reference = Callable[[NDArray[np.uint8]], Array]
"""The source graph with its own preprocessing: uint8 BGR images -> output in our layout."""


def check_parity(
    name: str,
    images: NDArray[np.uint8],
    expected: Array,
    network: keras.Model,
    litert_file: Path,
) -> None:
    """Run the Keras and the LiteRT network and hold both against the source graph's output.

    Args:
        name: Name of the network, for the message.
        images: uint8 (n, h, w, 3), BGR.
        expected: What the source graph gives for `images`.
        network: The Keras network.
        litert_file: Its export.

    Raises:
        ModelDamagedError: one of them differs by more than `TOLERANCE`.
    """
    outputs = {
        "Keras": np.asarray(network(images, training=False)),
        "LiteRT": LiteRtSession(litert_file, 2).run(images),
    }
    for engine, received in outputs.items():
        difference = _difference(expected, received)
        if not difference <= TOLERANCE:
            raise ModelDamagedError(
                f"network {name} converted to {engine} differs from its source by "
                f"{difference:.1e}, more than {TOLERANCE:.0e}; nothing was installed; please report"
            )


def _difference(expected: Array, received: Array) -> float:
    if expected.shape != received.shape:
        return float("inf")
    if expected.ndim == 2:
        expected, received = _unit(expected), _unit(received)
    return float(np.abs(expected - received).max())


def _unit(embeddings: Array) -> Array:
    unit: Array = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    return unit


def yunet_reference(path: Path) -> Reference:
    """Return YuNet's source graph, its twelve outputs put together as ours."""
    run = _onnx(path)

    def reference(images: NDArray[np.uint8]) -> Array:
        outputs = run(images.astype(np.float32))
        levels = [
            np.concatenate([outputs[level + 3 * k] for k in range(4)], -1) for level in range(3)
        ]
        return np.concatenate(levels, axis=1)

    return reference


def centerface_reference(path: Path) -> Reference:
    """Return CenterFace's source graph, its four maps put together as ours."""
    run = _onnx(path)

    def reference(images: NDArray[np.uint8]) -> Array:
        maps = run(images[..., ::-1].astype(np.float32))
        return np.concatenate(maps, axis=1).transpose(0, 2, 3, 1)

    return reference


def sface_reference(path: Path) -> Reference:
    """Return SFace's source graph.

    The published graph's first two operations are its preprocessing; a graph without them, which
    other exporters write, is given pixels that have gone through it.
    """
    run = _onnx(path)
    first = dequantise_onnx(path).graph.node[0].op_type
    offset, scale = (127.5, 1 / 128) if first == "Conv" else (0.0, 1.0)

    def reference(images: NDArray[np.uint8]) -> Array:
        (embeddings,) = run((images[..., ::-1].astype(np.float32) - offset) * np.float32(scale))
        return embeddings

    return reference


def embedder_reference(
    path: Path, color_order: str, offset: tuple[float, ...], scale: float
) -> Reference:
    """Return a user's graph with the preprocessing that he states.

    It is run on one image after the other, for many a graph was written for one and has that in
    its shapes. The first output counts: AdaFace's code gives embeddings and their lengths.
    """
    run = _onnx(path)

    def reference(images: NDArray[np.uint8]) -> Array:
        ordered = images[..., ::-1] if color_order == "rgb" else images
        pixels = (ordered.astype(np.float32) - np.array(offset, np.float32)) * np.float32(scale)
        return np.concatenate([run(pixels[row : row + 1])[0] for row in range(len(pixels))])

    return reference


DLIB_RECORD = Path(__file__).with_name("dlib_resnet_record.npy")
"""What dlib 20.0 gives, by its published weights, for `generated_images` (2, 150, 150)."""


def dlib_resnet_reference(path: Path) -> Reference:
    """Return dlib's recorded answer; dlib itself is needed to make the record, not to use it."""

    def reference(images: NDArray[np.uint8]) -> Array:
        if not np.array_equal(images, generated_images(2, 150, 150)):
            raise ArrayError("dlib's answer is recorded for the generated images alone")
        record: Array = np.load(DLIB_RECORD, allow_pickle=False)
        return record

    return reference


def _onnx(path: Path) -> Callable[[NDArray[np.float32]], Sequence[Array]]:
    """Load a graph into onnxruntime, with every size free that the file may have fixed."""
    model = dequantise_onnx(path)
    for value in (*model.graph.input, *model.graph.output):
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if axis != 1 or len(value.type.tensor_type.shape.dim) == 3:
                dimension.dim_param = f"{value.name}_{axis}"
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    (graph_input,) = session.get_inputs()

    def run(images: NDArray[np.float32]) -> Sequence[Array]:
        channels_first = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        outputs: list[Array] = session.run(None, {graph_input.name: channels_first})
        return outputs

    return run
