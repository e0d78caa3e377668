"""Fine-tuning the detector to boxes of another style, judged on images it did not learn from."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from facerec.assembly import build_detector
from facerec.errors import TrainingError
from facerec.evaluation.protocols.detection import read_boxes
from facerec.models.store import KERAS_FILE
from facerec.settings import Settings
from facerec.training.detection_batches import DetectionBatches
from facerec.training.detector_training import (
    DetectorSettings,
    fine_tune,
    judge_detector,
    split_images,
    start_detector,
)

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def annotated(home: Path, pictures: dict[str, Path], tmp_path_factory) -> Path:
    """Six small pictures with boxes a third wider and higher than the detector's own."""
    folder = tmp_path_factory.mktemp("detector")
    detector = build_detector(Settings(home=home))
    faces = {}
    for key in ("obama-2012", "collins", "biden-2010"):
        image = cv2.imread(str(pictures[key]))
        scale = 320 / max(image.shape[:2])
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for mirrored in (False, True):
            name = f"{key}-{mirrored}.png"
            shown = np.ascontiguousarray(image[:, ::-1]) if mirrored else image
            cv2.imwrite(str(folder / name), shown)
            found = detector.detect(shown, min_face_px=24, min_score=0.7)
            x0, y0, x1, y1 = found.boxes_xyxy_px[0].astype(float)
            w, h = x1 - x0, y1 - y0
            box = [x0 - w / 6, y0 - h / 6, w * 4 / 3, h * 4 / 3]
            faces[name] = [{"box": box, "landmarks": found.landmarks_px[0].tolist()}]
    (folder / "boxes.json").write_text(json.dumps(faces))
    return folder


def test_batches_move_boxes_and_landmarks_with_the_picture(annotated: Path) -> None:
    images = read_boxes(annotated / "boxes.json")
    batches = DetectionBatches(images, annotated, 160, 3, seed=1)
    first, again = batches.batch(4), batches.batch(4)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    for step in range(6):
        batch = batches.batch(step)
        for row in np.flatnonzero(batch["present"][:, 0]):
            x0, y0, x1, y1 = batch["faces"][row, 0]
            marks = batch["landmarks"][row, 0].reshape(5, 2)
            assert batch["known"][row, 0] == 1
            assert ((marks > [x0, y0]) & (marks < [x1, y1])).all()
            assert marks[0, 0] < marks[1, 0] and marks[3, 0] < marks[4, 0]  # right eye, left eye


def test_a_vanished_image_is_named(annotated: Path) -> None:
    images = read_boxes(annotated / "boxes.json")
    batches = DetectionBatches(images, annotated / "elsewhere", 160, 3, seed=1)
    with pytest.raises(TrainingError, match="vanished or cannot be read"):
        batches.batch(0)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"learn": "nothing"}, "learn must be one of boxes, heads, all"),
        ({"side_px": 0}, "side must be a multiple of 32, at least 64"),
        ({"side_px": 100}, "side must be a multiple of 32"),
        ({"learning_rate": -1.0}, "learning_rate must be 0 or more"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"epochs": 0}, "epochs must be above 0"),
    ],
)
def test_settings_that_no_training_can_have_are_named(given: dict, named: str) -> None:
    with pytest.raises(TrainingError, match=named):
        DetectorSettings(**given)


def test_an_image_that_vanishes_while_training_is_named(annotated: Path, home: Path) -> None:
    """Not TensorFlow's own error of a generator that failed."""
    images = read_boxes(annotated / "boxes.json")
    start = home / "models" / "yunet" / KERAS_FILE
    settings = DetectorSettings(epochs=1, batch_size=2, side_px=64)
    with pytest.raises(TrainingError, match="vanished or cannot be read"):
        fine_tune(start, images, annotated / "elsewhere", settings, lambda epoch, loss: None)


@pytest.mark.slow
@pytest.mark.parametrize("learn", ["boxes", "all"])
def test_fine_tuning_takes_up_the_style_of_boxes(annotated: Path, home: Path, learn: str) -> None:
    start = home / "models" / "yunet" / KERAS_FILE
    learned, judged = split_images(read_boxes(annotated / "boxes.json"), 3, 1)
    before = judge_detector(start_detector(start), judged, annotated)
    losses: list[float] = []
    rate = {"boxes": 5e-3, "all": 1e-3}[learn]
    settings = DetectorSettings(learn, epochs=30, batch_size=4, side_px=160, learning_rate=rate)
    network = fine_tune(start, learned, annotated, settings, lambda _, loss: losses.append(loss))
    after = judge_detector(network, judged, annotated)
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    assert before[0.75] < 0.5 < after[0.75]  # a box a third too small overlaps by 9/16
    pixels = np.random.default_rng(0).integers(0, 256, (1, 160, 160, 3), dtype=np.uint8)
    one, other = (np.asarray(net(pixels)) for net in (start_detector(start), network))
    others = np.r_[0:2, 6:16]  # scores and landmarks
    assert np.array_equal(one[..., others], other[..., others]) == (learn == "boxes")
    assert not np.array_equal(one[..., 2:6], other[..., 2:6])
