"""What `NetworkEmbedder` does around the network."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.analysis.embedding import NetworkEmbedder, centred
from facerec.errors import ArrayError, ModelDamagedError
from facerec.inference.manifest import (
    Alignment,
    EmbeddingCentre,
    ModelManifest,
    ModelTask,
    Preprocessing,
)

SIDE = 4
MANIFEST = ModelManifest(
    name="tiny",
    task=ModelTask.EMBEDDER,
    architecture="external",
    version="1",
    license="Apache-2.0",
    source="a test",
    weights_sha256="0" * 64,
    preprocessing=Preprocessing(1, "bgr", (0, 0, 0), 1.0),
    alignment=Alignment(SIDE, ((1, 1), (2, 1), (1.5, 2), (1, 3), (2, 3))),
    embedding_size=SIDE * SIDE * 3,
    embedding_space="tiny-1",
    files={},
)


class Flattened:
    """A network that gives the pixels that it was given, and remembers them."""

    def __init__(self, factor: float = 1.0) -> None:
        self.batches: list[NDArray[Any]] = []
        self._factor = factor

    def run(self, batch: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        self.batches.append(batch.copy())
        return batch.reshape(len(batch), -1).astype(np.float32) * np.float32(self._factor)


def chips(n: int) -> NDArray[np.uint8]:
    return np.random.default_rng(n).integers(1, 256, (n, SIDE, SIDE, 3), np.uint8)


def unit(v: NDArray[np.floating]) -> NDArray[np.floating]:
    return v / np.linalg.norm(v)


def test_plain_embeddings_are_the_network_s_at_unit_length() -> None:
    given = chips(3)
    found = NetworkEmbedder(Flattened(), MANIFEST).embed(given, mirrored=False)
    assert found.dtype == np.float32
    for row, chip in zip(found, given, strict=True):
        np.testing.assert_allclose(row, unit(chip.ravel().astype(np.float64)), rtol=1e-5)


def test_the_mirrored_chip_counts_as_much_as_the_chip() -> None:
    given = chips(2)
    found = NetworkEmbedder(Flattened(), MANIFEST).embed(given, mirrored=True)
    for row, chip in zip(found, given, strict=True):
        a, b = (unit(c.ravel().astype(np.float64)) for c in (chip, chip[:, ::-1]))
        np.testing.assert_allclose(row, unit(a + b), rtol=1e-5)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(("faces", "views_at_once"), [(1, 1), (3, 1), (5, 4), (3, 5), (4, 64)])
def test_faces_are_embedded_in_batches(faces: int, views_at_once: int, mirrored: bool) -> None:
    network = Flattened()
    embedder = NetworkEmbedder(network, MANIFEST, views_at_once=views_at_once)
    given = chips(faces)
    found = embedder.embed_assessed(given, mirrored=mirrored)
    sizes = [len(batch) for batch in network.batches]
    whole, rest = divmod(faces * (2 if mirrored else 1), views_at_once)
    assert sizes == [views_at_once] * whole + [rest] * (rest > 0)
    for i in range(faces):
        alone = NetworkEmbedder(Flattened(), MANIFEST).embed_assessed(
            given[i : i + 1], mirrored=mirrored
        )
        np.testing.assert_array_equal(found.vectors[i], alone.vectors[0])
        np.testing.assert_array_equal(found.recognisability[i], alone.recognisability[0])


def test_a_mirrored_face_has_the_same_embedding() -> None:
    given = chips(1)
    embedder = NetworkEmbedder(Flattened(), MANIFEST)
    np.testing.assert_allclose(
        embedder.embed(given, mirrored=True),
        embedder.embed(np.ascontiguousarray(given[:, :, ::-1]), mirrored=True),
        atol=1e-6,
    )


def test_faces_do_not_mix() -> None:
    given = chips(5)
    embedder = NetworkEmbedder(Flattened(), MANIFEST)
    for mirrored in (False, True):
        together = embedder.embed(given, mirrored=mirrored)
        alone = [embedder.embed(given[i : i + 1], mirrored=mirrored)[0] for i in range(5)]
        np.testing.assert_array_equal(together, np.stack(alone))


def test_a_network_with_its_own_preprocessing_gets_the_bytes() -> None:
    network = Flattened()
    NetworkEmbedder(network, MANIFEST).embed(chips(1), mirrored=False)
    assert network.batches[0].dtype == np.uint8
    np.testing.assert_array_equal(network.batches[0], chips(1))


@pytest.mark.parametrize("order", ["bgr", "rgb"])
def test_another_network_gets_prepared_numbers(order: str) -> None:
    preprocessing = Preprocessing(1, order, (10, 20, 30), 0.5, in_network=False)
    network = Flattened()
    given = chips(2)
    NetworkEmbedder(network, replace(MANIFEST, preprocessing=preprocessing)).embed(
        given, mirrored=False
    )
    seen = np.concatenate(network.batches)
    assert seen.dtype == np.float32
    ordered = given[..., ::-1] if order == "rgb" else given
    for channel, offset in enumerate((10, 20, 30)):
        np.testing.assert_allclose(
            seen[..., channel], (ordered[..., channel].astype(float) - offset) * 0.5
        )


def test_no_chips() -> None:
    found = NetworkEmbedder(Flattened(), MANIFEST).embed(chips(0), mirrored=True)
    assert found.shape == (0, SIDE * SIDE * 3)
    assert found.dtype == np.float32


@pytest.mark.parametrize("factor", [np.nan, np.inf, 0.0])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_network_that_gives_no_direction_is_damaged(factor: float, mirrored: bool) -> None:
    embedder = NetworkEmbedder(Flattened(factor), MANIFEST)
    with pytest.raises(ModelDamagedError, match="facerec models verify tiny"):
        embedder.embed(chips(1), mirrored=mirrored)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, SIDE + 1, SIDE, 3), np.uint8),
        np.zeros((SIDE, SIDE, 3), np.uint8),
        np.zeros((1, SIDE, SIDE, 3), np.float32),
    ],
)
def test_other_arrays_are_refused(wrong: NDArray[Any]) -> None:
    with pytest.raises(ArrayError, match=r"\(n, 4, 4, 3\)"):
        NetworkEmbedder(Flattened(), MANIFEST).embed(wrong, mirrored=False)


def test_a_detector_is_no_embedder() -> None:
    with pytest.raises(ArrayError, match="must be an embedder"):
        NetworkEmbedder(Flattened(), replace(MANIFEST, alignment=None))


class Scaled:
    """A network whose output is as long as its first pixel is bright."""

    def run(self, batch: np.ndarray) -> np.ndarray:
        return batch[:, 0, 0, :1].astype(np.float32) * np.array([[0.6, 0.8]], np.float32)


@pytest.mark.parametrize(("length", "seen"), [(3, 0.0), (6, 0.0), (9, 0.5), (12, 1.0), (200, 1.0)])
def test_a_short_output_of_sface_means_little_was_seen(length: int, seen: float) -> None:
    faces = np.full_like(chips(2), length)
    manifest = replace(MANIFEST, architecture="sface")
    made = NetworkEmbedder(Scaled(), manifest).embed_assessed(faces, mirrored=False)
    np.testing.assert_allclose(made.recognisability, [seen, seen], atol=1e-6)
    np.testing.assert_allclose(made.vectors, [[0.6, 0.8], [0.6, 0.8]], atol=1e-6)
    unknown = NetworkEmbedder(Scaled(), replace(MANIFEST, architecture="external"))
    assert unknown.embed_assessed(faces, mirrored=False).recognisability.tolist() == [1.0, 1.0]


def test_with_the_mirrored_chip_the_mean_length_counts() -> None:
    faces = chips(1)
    faces[0, 0, 0], faces[0, 0, -1] = 6, 12
    manifest = replace(MANIFEST, architecture="sface")
    made = NetworkEmbedder(Scaled(), manifest).embed_assessed(faces, mirrored=True)
    assert made.recognisability[0] == pytest.approx(0.5)


def centre_of(size: int) -> EmbeddingCentre:
    return EmbeddingCentre(1, tuple(np.linspace(-0.05, 0.08, size).tolist()), "a test")


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_centre_is_subtracted_from_the_embedding_of_both_chips(mirrored: bool) -> None:
    given = chips(3)
    centre = centre_of(MANIFEST.embedding_size)
    plain = NetworkEmbedder(Flattened(), MANIFEST).embed(given, mirrored=mirrored)
    found = NetworkEmbedder(Flattened(), replace(MANIFEST, centre=centre)).embed(
        given, mirrored=mirrored
    )
    assert found.dtype == np.float32
    for row, before in zip(found, plain, strict=True):
        np.testing.assert_allclose(row, unit(before - np.array(centre.vector)), atol=1e-6)
    assert not np.allclose(found, plain, atol=0.01)
    # So templates made before can be moved, without their pictures.
    np.testing.assert_allclose(found, centred(plain, centre), atol=1e-7)


def test_a_centre_says_nothing_of_how_much_of_a_face_was_seen() -> None:
    faces = np.full_like(chips(2), 9)
    manifest = replace(
        MANIFEST, architecture="sface", embedding_size=2, centre=EmbeddingCentre(1, (0.1, 0.2), "")
    )
    made = NetworkEmbedder(Scaled(), manifest).embed_assessed(faces, mirrored=True)
    assert made.recognisability == pytest.approx([0.5, 0.5])
    np.testing.assert_allclose(made.vectors[0], unit(np.array([0.5, 0.6])), atol=1e-6)


def test_the_centre_of_another_network_is_refused() -> None:
    with pytest.raises(ModelDamagedError, match="its centre has 3; run: facerec models pull tiny"):
        NetworkEmbedder(Flattened(), replace(MANIFEST, centre=centre_of(3)))
    with pytest.raises(ArrayError, match=r"\(n, 3\)"):
        centred(np.eye(4, dtype=np.float32), centre_of(3))
