"""YuNet on real photographs, at sizes and places where detectors go wrong."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.analysis.detection import YuNetDetector
from facerec.analysis.detection.suppression import overlaps
from facerec.analysis.faces import Faces
from facerec.errors import ArrayError

Image = NDArray[np.uint8]
Photographs = dict[str, NDArray[np.uint8]]


def find(detector: YuNetDetector, image: Image, min_face_px: int = 24) -> Faces:
    return detector.detect(image, min_face_px=min_face_px, min_score=0.7)


@pytest.fixture(scope="session")
def portrait(photographs: Photographs, detector: YuNetDetector) -> tuple[Image, Faces]:
    """A photograph with one large face, and where it is."""
    image = photographs["obama-2012"]
    faces = find(detector, image)
    assert len(faces) == 1
    return image, faces


def side_of(faces: Faces) -> float:
    left, top, right, bottom = faces.boxes_xyxy_px[0].tolist()
    return float(np.sqrt((right - left) * (bottom - top)))


def drawn_at(
    portrait: tuple[Image, Faces], side: float, centre: tuple[float, float], canvas: Image
) -> tuple[Image, NDArray[np.float64], NDArray[np.float64]]:
    """Put the portrait on a canvas, its face `side` large about `centre`; box and landmarks."""
    image, faces = portrait
    scale = side / side_of(faces)
    shrunk = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    scale_xy = np.array(shrunk.shape[1::-1]) / image.shape[1::-1]
    points = np.concatenate([faces.boxes_xyxy_px.reshape(2, 2), faces.landmarks_px[0]])
    points = (points + 0.5) * scale_xy - 0.5
    corner = np.round(np.array(centre) - points[:2].mean(axis=0)).astype(int)
    begin, end = np.maximum(corner, 0), corner + shrunk.shape[1::-1]
    end = np.minimum(end, canvas.shape[1::-1])
    drawn = canvas.copy()
    drawn[begin[1] : end[1], begin[0] : end[0]] = shrunk[
        begin[1] - corner[1] : end[1] - corner[1], begin[0] - corner[0] : end[0] - corner[0]
    ]
    points += corner
    return drawn, points[:2].reshape(1, 4), points[2:]


def assert_found_once(
    faces: Faces, box: NDArray[np.float64], landmarks: NDArray[np.float64]
) -> None:
    assert len(faces) == 1
    assert overlaps(faces.boxes_xyxy_px, box.astype(np.float32))[0, 0] > 0.6
    eyes = np.linalg.norm(landmarks[1] - landmarks[0])
    error = np.linalg.norm(faces.landmarks_px[0] - landmarks, axis=1).mean() / eyes
    assert error < 0.12


def grey(height: int, width: int) -> Image:
    return np.full((height, width, 3), 110, np.uint8)


@pytest.mark.parametrize("key", ["obama-2012", "obama-2010", "obama-2009", "biden-2010", "collins"])
def test_every_photograph_shows_its_person(
    key: str, photographs: Photographs, detector: YuNetDetector
) -> None:
    faces = find(detector, photographs[key])
    assert len(faces) >= 1
    assert (np.diff(faces.detection_scores) <= 0).all()
    right_eye, left_eye, nose, right_mouth, left_mouth = faces.landmarks_px[0]
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


@pytest.mark.parametrize("side", [24, 26, 32, 48, 96, 160, 240, 330, 400])
@pytest.mark.parametrize("centre", [(320, 240), (201, 263)])
def test_faces_of_every_size_in_a_camera_frame(
    side: int,
    centre: tuple[int, int],
    portrait: tuple[Image, Faces],
    detector: YuNetDetector,
) -> None:
    frame, box, landmarks = drawn_at(portrait, side, centre, grey(480, 640))
    assert_found_once(find(detector, frame), box, landmarks)


@pytest.mark.parametrize("side", [480, 560, 640, 720, 800])
def test_faces_that_overfill_a_camera_frame(
    side: int, portrait: tuple[Image, Faces], detector: YuNetDetector
) -> None:
    frame, box, landmarks = drawn_at(portrait, side, (320, 240), grey(480, 640))
    assert_found_once(find(detector, frame), box, landmarks)


@pytest.mark.parametrize("share", [0.6, 0.9, 1.1, 1.25])
@pytest.mark.parametrize("resolution", [112, 300, 1000, 2400])
def test_close_ups_of_any_resolution(
    share: float, resolution: int, portrait: tuple[Image, Faces], detector: YuNetDetector
) -> None:
    """The face's side is a share of the picture's, up to more than all of it."""
    side = share * resolution
    middle = (resolution - 1) / 2
    picture, box, landmarks = drawn_at(
        portrait, side, (middle, middle), grey(resolution, resolution)
    )
    assert_found_once(find(detector, picture), box, landmarks)


@pytest.mark.parametrize(
    ("min_face_px", "side"), [(60, 64), (60, 300), (120, 125), (120, 400), (12, 14), (12, 200)]
)
def test_the_smallest_face_wanted_sets_the_scale(
    min_face_px: int, side: int, portrait: tuple[Image, Faces], detector: YuNetDetector
) -> None:
    frame, box, landmarks = drawn_at(portrait, side, (330, 250), grey(480, 640))
    assert_found_once(find(detector, frame, min_face_px), box, landmarks)


@pytest.mark.parametrize("side", [30, 60, 100, 200, 600, 1500])
@pytest.mark.parametrize("centre", [(1000, 1000), (1020, 880), (1900, 1300), (2500, 900)])
def test_a_large_picture_shows_each_face_once_wherever_tiles_meet(
    side: int,
    centre: tuple[int, int],
    portrait: tuple[Image, Faces],
    detector: YuNetDetector,
) -> None:
    picture, box, landmarks = drawn_at(portrait, side, centre, grey(2000, 3000))
    assert_found_once(find(detector, picture), box, landmarks)


def test_near_and_far_faces_are_found_together(
    portrait: tuple[Image, Faces], detector: YuNetDetector
) -> None:
    """Somebody at the lens does not hide who stands behind."""
    image, faces = portrait
    frame, near, _ = drawn_at(portrait, 420, (250, 240), grey(480, 900))
    scale = 40 / side_of(faces)
    far = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame[20 : 20 + far.shape[0], 780 : 780 + far.shape[1]] = far[:, : 900 - 780]
    found = find(detector, frame)
    assert len(found) == 2
    sizes = np.sqrt((found.boxes_xyxy_px[:, 2:] - found.boxes_xyxy_px[:, :2]).prod(axis=1))
    np.testing.assert_allclose(sorted(sizes), [40, 420], rtol=0.15)
    assert overlaps(found.boxes_xyxy_px, near.astype(np.float32)).max() > 0.6


def test_landmarks_do_not_hang_on_where_the_face_lies(
    portrait: tuple[Image, Faces], detector: YuNetDetector
) -> None:
    """Shifted and resized a little, the landmarks stay; the network's best cell alone gives .06."""
    rng = np.random.default_rng(5)
    relative = []
    for _ in range(24):
        side = float(rng.uniform(80, 130))
        centre = (float(rng.uniform(250, 390)), float(rng.uniform(200, 280)))
        frame, _, landmarks = drawn_at(portrait, side, centre, grey(480, 640))
        found = find(detector, frame).landmarks_px[0]
        relative.append((found - landmarks) / np.linalg.norm(landmarks[1] - landmarks[0]))
    jitter = np.linalg.norm(np.std(relative, axis=0), axis=1).mean()
    assert jitter < 0.04


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 5000), (5000, 1), (7, 3), (31, 33), (480, 640), (1100, 1300)]
)
@pytest.mark.parametrize("kind", ["black", "white", "noise"])
def test_pictures_without_faces(shape: tuple[int, int], kind: str, detector: YuNetDetector) -> None:
    pixels = {
        "black": np.zeros((*shape, 3), np.uint8),
        "white": np.full((*shape, 3), 255, np.uint8),
        "noise": np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8),
    }
    assert len(find(detector, pixels[kind])) == 0


def test_views_of_other_arrays_are_taken(
    portrait: tuple[Image, Faces], detector: YuNetDetector
) -> None:
    image = np.ascontiguousarray(portrait[0][:640, :640])
    flipped_twice = np.ascontiguousarray(image[:, ::-1])[:, ::-1]
    assert not flipped_twice.flags.c_contiguous
    np.testing.assert_array_equal(
        find(detector, flipped_twice).landmarks_px, find(detector, image).landmarks_px
    )


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
    ],
)
def test_other_arrays_are_refused(wrong: Image, detector: YuNetDetector) -> None:
    with pytest.raises(ArrayError, match="image must be uint8"):
        find(detector, wrong)
