"""The same weights through OpenCV's own classes give the same boxes, chips and embeddings."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.analysis.alignment import align
from facerec.analysis.detection import YuNetDetector
from facerec.analysis.detection.suppression import suppress_overlaps
from facerec.analysis.detection.yunet import decode_yunet
from facerec.analysis.embedding import NetworkEmbedder
from facerec.inference import ModelTask
from facerec.inference.litert_session import LiteRtSession
from facerec.models.pull import write_source_graph
from facerec.models.store import ModelStore

KEYS = ("obama-2012", "obama-2010", "obama-2009", "biden-2010", "collins")


@pytest.fixture(scope="module")
def source_graphs(store: ModelStore, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("onnx")
    paths = {name: folder / f"{name}.onnx" for name in ("yunet", "sface")}
    for name, path in paths.items():
        write_source_graph(name, store, path)
    return paths


@pytest.fixture(scope="module", autouse=True)
def quiet_opencv() -> None:
    # OpenCV 5 warns that its new engine chooses the device itself.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)


def at_network_size(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """At most 640 pixels, cut to multiples of 32, so that neither side pads or resizes."""
    scale = min(1.0, 640 / max(image.shape[:2]))
    smaller = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = (side // 32 * 32 for side in smaller.shape[:2])
    return np.ascontiguousarray(smaller[:height, :width])


@pytest.mark.parametrize("key", KEYS)
def test_yunet_finds_what_opencv_finds(
    key: str,
    photographs: dict[str, NDArray[np.uint8]],
    yunet_session: LiteRtSession,
    source_graphs: dict[str, Path],
) -> None:
    image = at_network_size(photographs[key])
    height, width = image.shape[:2]
    opencv = cv2.FaceDetectorYN.create(str(source_graphs["yunet"]), "", (width, height), 0.6, 0.3)
    expected = opencv.detect(image)[1]
    assert expected is not None
    cells = decode_yunet(
        yunet_session.run(image[None])[0], width=width, height=height, min_score=0.6
    )
    found = cells[suppress_overlaps(cells.boxes_xyxy_px, cells.detection_scores, 0.3)]
    assert len(found) == len(expected)
    boxes = np.concatenate([expected[:, :2], expected[:, :2] + expected[:, 2:4]], axis=1)
    # Measured: at most .002 pixels.
    np.testing.assert_allclose(found.boxes_xyxy_px, boxes, atol=0.1)
    np.testing.assert_allclose(found.landmarks_px, expected[:, 4:14].reshape(-1, 5, 2), atol=0.1)
    np.testing.assert_allclose(found.detection_scores, expected[:, 14], atol=1e-4)


@pytest.mark.parametrize("key", KEYS)
def test_chips_and_embeddings_are_opencv_s(
    key: str,
    photographs: dict[str, NDArray[np.uint8]],
    detector: YuNetDetector,
    embedder: NetworkEmbedder,
    store: ModelStore,
    source_graphs: dict[str, Path],
) -> None:
    image = at_network_size(photographs[key])
    faces = detector.detect(image, min_face_px=24, min_score=0.7)[:1]
    row = np.concatenate(
        [faces.boxes_xyxy_px[0], faces.landmarks_px[0].ravel(), faces.detection_scores]
    )
    opencv = cv2.FaceRecognizerSF.create(str(source_graphs["sface"]), "")
    expected_chip = opencv.alignCrop(image, row[None])
    chips = align(image, faces.landmarks_px, embedder.alignment)
    if np.ptp(faces.landmarks_px[0, :2, 0]) < 70:  # else ours is shrunk without aliasing
        assert np.abs(chips[0].astype(int) - expected_chip).max() <= 2
    centre = store.require("sface", ModelTask.EMBEDDER).centre
    assert centre is not None
    feature = opencv.feature(chips[0])[0]
    expected = feature / np.linalg.norm(feature) - np.array(centre.vector)
    found = embedder.embed(chips, mirrored=False)[0]
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-4)
