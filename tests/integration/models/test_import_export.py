"""Networks given out to other runtimes, and a user's own ones taken in."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from keras import layers

from facerec.analysis.embedding import NetworkEmbedder
from facerec.errors import ModelError, ModelImportError
from facerec.inference import ModelTask, Preprocessing
from facerec.inference.litert_session import LiteRtSession
from facerec.models.catalogue import find
from facerec.models.export import export_litert
from facerec.models.export_network import ExportFormat, export_network
from facerec.models.generated_images import generated_images
from facerec.models.import_keras import import_keras
from facerec.models.import_network import ImportRequest, import_network
from facerec.models.pull import write_source_graph
from facerec.models.store import KERAS_FILE, LITERT_FILE, ModelStore
from facerec.models.workshop import ImportKerasJob
from tests.integration.models.conftest import chips_of

TOLERANCE = 1e-4
STATED = Preprocessing(1, "rgb", (127.5, 120.0, 110.0), 1 / 64)


@pytest.fixture
def own_store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "home" / "models")


@contextmanager
def quiet_keras() -> Iterator[None]:
    """Let Keras and TensorFlow warn of their own deprecations; facerec has them in a child."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def embedder_files(tmp_path_factory) -> dict[str, Path]:
    """A small embedder of floats, 96x96, as .keras and .tflite."""
    folder = tmp_path_factory.mktemp("own")
    keras.utils.set_random_seed(7)
    pixels = keras.Input((96, 96, 3))
    x = layers.Conv2D(8, 5, strides=4, activation="relu")(pixels)
    x = layers.Conv2D(16, 5, strides=4, activation="relu")(x)
    network = keras.Model(pixels, layers.Dense(48)(layers.Flatten()(x)))
    with quiet_keras():
        network.save(folder / "own.keras")
        export_litert(network, folder / "own.tflite")
    return {path.suffix: path for path in folder.iterdir()}


def run(path: Path, images: np.ndarray) -> np.ndarray:
    return LiteRtSession(path, 2).run(images)


@pytest.mark.parametrize("name", ["yunet", pytest.param("sface", marks=pytest.mark.slow)])
def test_exported_onnx_gives_the_networks_numbers(store: ModelStore, tmp_path, name: str) -> None:
    written = export_network(name, store, ExportFormat.ONNX, tmp_path)
    assert written == tmp_path / f"{name}.onnx"
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(written), options)
    for count, side in ((1, 112), (3, 112)) if name == "sface" else ((1, 96), (1, 160)):
        images = generated_images(count, side, side)
        (received,) = session.run(None, {session.get_inputs()[0].name: images})
        expected = run(store.file(name, LITERT_FILE), images)
        assert np.abs(received - expected).max() < TOLERANCE


def test_an_exported_saved_model_gives_the_networks_numbers(store: ModelStore, tmp_path) -> None:
    written = export_network("yunet", store, ExportFormat.SAVED_MODEL, tmp_path / "deep" / "net")
    images = generated_images(1, 96, 128)
    loaded = tf.saved_model.load(str(written))
    received = loaded.serve(tf.constant(images)).numpy()
    expected = run(store.file("yunet", LITERT_FILE), images)
    assert np.abs(received - expected).max() < TOLERANCE


def test_exported_litert_is_the_installed_file(store: ModelStore, tmp_path: Path) -> None:
    written = export_network("yunet", store, ExportFormat.LITERT, tmp_path / "net.tflite")
    assert written.read_bytes() == store.file("yunet", LITERT_FILE).read_bytes()
    with pytest.raises(ModelError, match="exists already"):
        export_network("yunet", store, ExportFormat.LITERT, written)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.tflite"]


def test_an_embedder_of_floats_is_the_same_as_keras_and_as_litert(
    own_store: ModelStore, embedder_files, faces
) -> None:
    """As .keras its preprocessing goes into the network; as .tflite it is done before the call."""
    embeddings = []
    for kind, name in ((".keras", "as-keras"), (".tflite", "as-litert")):
        request = ImportRequest(
            embedder_files[kind],
            name,
            ModelTask.EMBEDDER,
            preprocessing=STATED,
            chip_size_px=96,
        )
        manifest = import_network(request, own_store)
        assert own_store.require(name, ModelTask.EMBEDDER) == manifest
        assert manifest.embedding_size == 48
        assert manifest.preprocessing.in_network is (kind == ".keras")
        session = LiteRtSession(own_store.file(name, LITERT_FILE), 2)
        embedder = NetworkEmbedder(session, manifest)
        embeddings.append(embedder.embed(chips_of(faces, 96), mirrored=False))
    np.testing.assert_allclose(*embeddings, atol=1e-5)
    # And both are what NumPy's preprocessing and Keras make of it.
    values = (chips_of(faces, 96)[..., ::-1] - np.array(STATED.offset)) * STATED.scale
    raw = np.asarray(keras.saving.load_model(embedder_files[".keras"])(values))
    expected = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    np.testing.assert_allclose(embeddings[0], expected, atol=1e-5)


def test_the_landmark_template_is_scaled_to_the_chip(own_store, embedder_files) -> None:
    request = ImportRequest(
        embedder_files[".tflite"], "own", ModelTask.EMBEDDER, "external", STATED, 96
    )
    alignment = import_network(request, own_store).alignment
    expected = np.array(find("sface").alignment.landmarks_px) * 96 / 112
    np.testing.assert_allclose(alignment.landmarks_px, expected)


def test_the_space_tells_the_same_weights_with_other_preprocessing_apart(
    own_store, embedder_files
) -> None:
    spaces = set()
    for color_order in ("rgb", "bgr"):
        stated = Preprocessing(1, color_order, (127.5, 127.5, 127.5), 1 / 128)
        request = ImportRequest(
            embedder_files[".tflite"], "own", ModelTask.EMBEDDER, "external", stated, 96
        )
        spaces.add(import_network(request, own_store, force=True).embedding_space)
    assert len(spaces) == 2


def test_a_known_network_is_taken_from_its_onnx_file(store, own_store, scene, tmp_path) -> None:
    write_source_graph("centerface", store, tmp_path / "mine.onnx")
    request = ImportRequest(tmp_path / "mine.onnx", "mine", ModelTask.DETECTOR, "centerface")
    manifest = import_network(request, own_store)
    assert (manifest.architecture, manifest.embedding_space) == ("centerface", "")
    expected = run(store.file("centerface", LITERT_FILE), scene)
    np.testing.assert_array_equal(run(own_store.file("mine", LITERT_FILE), scene), expected)


@pytest.mark.parametrize("file", [LITERT_FILE, pytest.param(KERAS_FILE, marks=pytest.mark.slow)])
def test_a_detector_of_pixels_is_taken_as_it_is(store, own_store, file: str) -> None:
    request = ImportRequest(store.file("yunet", file), "mine", ModelTask.DETECTOR, "yunet")
    import_network(request, own_store)
    images = generated_images(1, 96, 128)
    received = run(own_store.file("mine", LITERT_FILE), images)
    expected = run(store.file("yunet", LITERT_FILE), images)
    np.testing.assert_allclose(received, expected, atol=1e-5)


def test_a_network_that_came_as_litert_goes_out_only_as_litert(own_store, embedder_files) -> None:
    request = ImportRequest(
        embedder_files[".tflite"], "own", ModelTask.EMBEDDER, "external", STATED, 96
    )
    import_network(request, own_store)
    with pytest.raises(ModelError, match="export it as litert"):
        export_network("own", own_store, ExportFormat.ONNX, own_store.cache_dir / "x.onnx")


EMBEDDER, DETECTOR = ModelTask.EMBEDDER, ModelTask.DETECTOR


@pytest.mark.parametrize(
    ("file", "options", "reason"),
    [
        ("none.keras", {}, "there is no file"),
        ("garbage.txt", {}, r"not a \.keras, \.tflite or \.onnx file"),
        ("garbage.tflite", {}, "no network that LiteRT runs"),
        ("garbage.onnx", {}, "give --architecture"),
        ("garbage.tflite", {"name": "Dr No"}, "cannot be a network's name"),
        ("garbage.tflite", {"name": "../up"}, "cannot be a network's name"),
        ("garbage.tflite", {"name": "sface"}, "is a network of the catalogue"),
        ("garbage.tflite", {"task": DETECTOR}, "does not fit task detector"),
        ("garbage.tflite", {"architecture": "yunet"}, "does not fit task embedder"),
        ("garbage.tflite", {"landmarks": "mine"}, "there are arcface, dlib"),
        (".tflite", {"preprocessing": None}, "--color-order, --offset and --scale"),
        (".tflite", {"chip_size_px": 112}, "cannot be run"),
        (".tflite", {"task": DETECTOR, "architecture": "yunet"}, "must take uint8 BGR"),
    ],
)
def test_what_cannot_be_taken_is_refused_and_leaves_nothing(
    own_store: ModelStore, embedder_files, tmp_path: Path, file: str, options, reason: str
) -> None:
    for suffix in (".txt", ".tflite", ".keras", ".onnx"):
        (tmp_path / f"garbage{suffix}").write_bytes(b"garbage")
    path = embedder_files.get(file, tmp_path / file)
    given = {"name": "own", "task": EMBEDDER, "preprocessing": STATED, "chip_size_px": 96}
    with pytest.raises(ModelImportError, match=reason) as caught:
        import_network(ImportRequest(path=path, **{**given, **options}), own_store)
    assert "\n" not in str(caught.value)
    assert own_store.names() == ()


def test_an_installed_name_is_replaced_only_when_asked(own_store, embedder_files) -> None:
    request = ImportRequest(
        embedder_files[".tflite"], "own", ModelTask.EMBEDDER, "external", STATED, 96
    )
    import_network(request, own_store)
    with pytest.raises(ModelImportError, match="there is a network own already"):
        import_network(request, own_store)
    import_network(request, own_store, force=True)


@pytest.mark.parametrize(
    ("file", "options", "reason"),
    [
        ("garbage.keras", {}, "cannot be loaded as a Keras network"),
        (".keras", {"color_order": None}, "takes float32: state how pixels"),
        (".keras", {"chip_size_px": 112}, "takes chips of 96x96"),
        ("pixels.keras", {}, "takes uint8, so it does its own preprocessing"),
        ("two.keras", {}, "one input and one output; this one has 1 and 2"),
        ("flat.keras", {}, r"takes images \(n, h, w, 3\)"),
    ],
)
def test_keras_files_that_cannot_be_taken(
    embedder_files, tmp_path: Path, file: str, options, reason: str
) -> None:
    """In this process, to spare the test a child each; the way there is tested above."""
    (tmp_path / "garbage.keras").write_bytes(b"garbage")
    pixels, floats = keras.Input((96, 96, 3), dtype="uint8"), keras.Input((96, 96, 3))
    flat = keras.Input((100,))
    features = layers.Flatten()(keras.ops.cast(pixels, "float32"))
    with quiet_keras():
        keras.Model(pixels, features).save(tmp_path / "pixels.keras")
        keras.Model(floats, [floats + 1, floats + 2]).save(tmp_path / "two.keras")
        keras.Model(flat, flat + 1).save(tmp_path / "flat.keras")
    given = {"color_order": "rgb", "offset": (0.0, 0.0, 0.0), "scale": 1.0, "chip_size_px": 96}
    path = embedder_files.get(file, tmp_path / file)
    job = ImportKerasJob("own", str(path), str(tmp_path), **{**given, **options})
    with pytest.raises(ModelImportError, match=reason) as caught:
        import_keras(job)
    assert "\n" not in str(caught.value)
