"""Holds our detectors against OpenCV's own YuNet on the same annotated images.

    .venv/bin/python benchmarks/detection_side_by_side.py IMAGES BOXES.json [--home HOME]

OpenCV's `FaceDetectorYN` runs the same weights, as the plain float32 ONNX graph that they came as.
"""

import argparse
import json
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.analysis.detection import Detector
from facerec.analysis.faces import Faces
from facerec.assembly import build_detector
from facerec.evaluation.metrics.detections import DetectionScores
from facerec.evaluation.protocols.detection import LEAST_SCORE, detect_all, read_boxes
from facerec.models.pull import write_source_graph
from facerec.models.store import ModelStore
from facerec.settings import load_settings

MIN_FACE_PX = 24
MAX_PIXELS = 50_000_000


class OpenCvYuNet:
    """OpenCV's own detector as a `Detector`, as its documentation says to use it."""

    def __init__(self, graph: Path) -> None:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        self._detector = cv2.FaceDetectorYN.create(str(graph), "", (320, 320), LEAST_SCORE, 0.3)

    def detect(self, image_bgr: NDArray[np.uint8], *, min_face_px: int, min_score: float) -> Faces:
        self._detector.setInputSize((image_bgr.shape[1], image_bgr.shape[0]))
        found = self._detector.detect(image_bgr)[1]
        if found is None:
            return Faces.empty()
        found = found[found[:, 14] >= min_score].astype(np.float32)
        boxes = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:4]], axis=1)
        return Faces(boxes, found[:, 14].copy(), found[:, 4:14].reshape(-1, 5, 2).copy())


def measure(detector: Detector, images: Path, boxes: Path) -> DetectionScores:
    return detect_all(
        read_boxes(boxes),
        images,
        detector,
        lambda done, total: None,
        min_face_px=MIN_FACE_PX,
        max_pixels=MAX_PIXELS,
    )


def detectors(home: Path | None, scratch: Path) -> dict[str, Detector]:
    store = ModelStore(load_settings(home).models_dir)
    graph = scratch / "yunet.onnx"
    write_source_graph("yunet", store, graph)
    ours = {
        name: build_detector(load_settings(home, analysis={"detector": name}))
        for name in ("yunet", "centerface")
    }
    return {**ours, "opencv-yunet": OpenCvYuNet(graph)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("boxes", type=Path)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for name, detector in detectors(options.home, Path(scratch)).items():
            judged = measure(detector, options.images, options.boxes)
            record = {
                "detector": name,
                "ap50": round(judged.ap50, 4),
                "recall_at_0.5": round(judged.recall_at(0.5), 4),
                "recall_at_0.7": round(judged.recall_at(0.7), 4),
                "false_positives_per_image_at_0.7": round(judged.false_positives_per_image(0.7), 4),
            }
            print(json.dumps(record))


if __name__ == "__main__":
    main()
