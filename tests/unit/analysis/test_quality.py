"""Each way of spoiling a face lowers the component that names it, and no other rises."""

import itertools
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.analysis.faces import FaceQuality, Faces
from facerec.analysis.quality import QualityFlaw, assess, flaws

# An upright face looking straight ahead, eyes 100 pixels apart.
FACE = np.array([[100, 100], [200, 100], [150, 156], [110, 200], [190, 200]], np.float32)
BOX = np.array([[70, 40, 230, 240]], np.float32)
IMAGE = np.zeros((400, 400, 3), np.uint8)


def textured_chip(side: int = 112, contrast: float = 40) -> NDArray[np.uint8]:
    """Structure of all sizes, as faces have, around grey 128."""
    rng = np.random.default_rng(4)
    layers = [
        cv2.resize(
            rng.normal(0, 1, (n, n)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC
        )
        for n in (4, 8, 16, 32, 64)
    ]
    mixed = np.sum(layers, axis=0)
    grey = 128 + contrast * mixed / mixed.std()
    return np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


CHIP = textured_chip()


def assessed(
    chip: NDArray[np.uint8] = CHIP,
    landmarks: NDArray[np.float32] = FACE,
    box: NDArray[np.float32] = BOX,
) -> FaceQuality:
    faces = Faces(box, np.array([0.9], np.float32), landmarks[None].astype(np.float32))
    return assess(IMAGE, faces, chip[None])


def assert_falls(values: list[float], floor: float) -> None:
    assert values[0] == pytest.approx(1, abs=0.05)
    assert all(a >= b for a, b in itertools.pairwise(values)), values
    assert values[-1] <= floor


def test_a_good_face_has_no_flaw() -> None:
    quality = assessed()
    for name, values in vars(quality).items():
        assert values.dtype == np.float32
        assert values[0] > 0.9, name
    assert flaws(quality, 0) == ()


def test_blur_lowers_sharpness() -> None:
    spoilt = [
        assessed(CHIP if sigma == 0 else cv2.GaussianBlur(CHIP, (0, 0), sigma))
        for sigma in (0, 1, 2, 3, 4, 6, 9)
    ]
    assert_falls([float(q.sharpness[0]) for q in spoilt], 0.0)
    assert flaws(spoilt[-1], 0) == (QualityFlaw.BLURRED,)


def test_sharpness_does_not_hang_on_light_or_contrast() -> None:
    blurred = cv2.GaussianBlur(CHIP, (0, 0), 2.0)
    faint = (128 + (blurred.astype(np.float32) - 128) * 0.5).astype(np.uint8)
    assert assessed(faint).sharpness[0] == pytest.approx(assessed(blurred).sharpness[0], abs=0.05)
    dark = (blurred * 0.5).astype(np.uint8)
    assert assessed(dark).sharpness[0] == pytest.approx(assessed(blurred).sharpness[0], abs=0.05)


def test_a_flat_chip_is_not_sharp() -> None:
    assert assessed(np.full((112, 112, 3), 128, np.uint8)).sharpness[0] == 0


def test_darkening_lowers_brightness() -> None:
    spoilt = [assessed((CHIP * share).astype(np.uint8)) for share in (1, 0.3, 0.2, 0.1, 0.05, 0)]
    assert_falls([float(q.brightness[0]) for q in spoilt], 0.0)
    assert QualityFlaw.BADLY_LIT in flaws(spoilt[-1], 0)


def test_overexposure_lowers_brightness() -> None:
    spoilt = [
        assessed((CHIP.astype(int) + lighter).clip(0, 255).astype(np.uint8))
        for lighter in (0, 70, 90, 110, 130, 200)
    ]
    assert_falls([float(q.brightness[0]) for q in spoilt], 0.1)
    assert QualityFlaw.BADLY_LIT in flaws(spoilt[-1], 0)


def test_flatness_lowers_contrast() -> None:
    spoilt = [assessed(textured_chip(contrast=deviation)) for deviation in (40, 20, 10, 6, 3, 1)]
    assert_falls([float(q.contrast[0]) for q in spoilt], 0.0)
    assert QualityFlaw.LOW_CONTRAST in flaws(spoilt[-1], 0)


def test_distance_lowers_size() -> None:
    spoilt = [assessed(landmarks=FACE * scale) for scale in (1, 0.16, 0.12, 0.1, 0.08, 0.05)]
    assert_falls([float(q.size[0]) for q in spoilt], 0.0)
    assert QualityFlaw.TOO_SMALL in flaws(spoilt[-1], 0)


def turned(yaw_deg: float, pitch_deg: float = 0, roll_deg: float = 0) -> NDArray[np.float32]:
    """The face as a solid, nose standing out, turned and seen from afar."""
    middle = np.array([150, 150, 0])
    solid = np.column_stack([FACE, [0, 0, 45, 0, 0]]) - middle
    y, p, r = np.radians([yaw_deg, pitch_deg, roll_deg])
    yaw = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    pitch = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    roll = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return ((solid @ (roll @ pitch @ yaw).T) + middle)[:, :2].astype(np.float32)


@pytest.mark.parametrize("direction", [(1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.7)])
def test_turning_lowers_pose(direction: tuple[float, float]) -> None:
    spoilt = [
        assessed(landmarks=turned(angle * direction[0], angle * direction[1]))
        for angle in (0, 15, 30, 45, 60)
    ]
    assert_falls([float(q.pose[0]) for q in spoilt], 0.35)
    assert QualityFlaw.TURNED_AWAY in flaws(spoilt[-1], 0)


@pytest.mark.parametrize("angle", [10, 25, 40])
def test_pose_is_the_square_of_the_cosine(angle: float) -> None:
    expected = np.cos(np.radians(angle)) ** 2
    assert assessed(landmarks=turned(angle)).pose[0] == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("roll", [-90, -30, 20, 180])
def test_turning_within_the_image_changes_neither_pose_nor_size(roll: float) -> None:
    upright, rolled = assessed(landmarks=turned(20)), assessed(landmarks=turned(20, 0, roll))
    assert rolled.pose[0] == pytest.approx(upright.pose[0], abs=1e-3)
    assert rolled.size[0] == pytest.approx(upright.size[0], abs=1e-3)


def test_turning_does_not_look_like_distance() -> None:
    small = FACE * 0.12
    yawed = turned(50) * 0.12
    assert assessed(landmarks=yawed).size[0] == pytest.approx(assessed(landmarks=small).size[0])


@pytest.mark.parametrize(
    ("shift", "share"),
    [
        ((0, 0), 1),
        ((-70, 0), 1),
        ((-150, 0), 0.5),
        ((0, -140), 0.5),
        ((170, 0), 1),
        ((250, 0), 0.5),
    ],
)
def test_visibility_is_the_share_inside(shift: tuple[float, float], share: float) -> None:
    quality = assessed(box=BOX + np.array([*shift, *shift], np.float32))
    assert quality.visibility[0] == pytest.approx(share)
    assert (QualityFlaw.CLIPPED in flaws(quality, 0)) == (share < 0.75)


def test_a_box_wholly_outside_is_not_visible() -> None:
    assert assessed(box=BOX + 1000).visibility[0] == 0


def test_overall_is_the_product() -> None:
    quality = assessed(cv2.GaussianBlur(CHIP, (0, 0), 3.0), turned(30))
    names = ("size", "sharpness", "brightness", "contrast", "visibility")
    product = np.prod([getattr(quality, name)[0] for name in names])
    assert quality.pose[0] > 0.5  # turned, but not so far that it counts
    assert quality.overall[0] == pytest.approx(product, rel=1e-5)
    assert 0 < quality.overall[0] < 1


def test_the_worst_flaw_comes_first() -> None:
    fit = assessed()
    spoilt = replace(fit, size=np.array([0.2], np.float32), pose=np.array([0.1], np.float32))
    assert flaws(spoilt, 0) == (QualityFlaw.TURNED_AWAY, QualityFlaw.TOO_SMALL)


def test_chips_of_another_size_are_judged_alike() -> None:
    larger = cv2.resize(CHIP, (150, 150), interpolation=cv2.INTER_CUBIC)
    for sigma in (2.0, 3.0):
        small = assessed(cv2.GaussianBlur(CHIP, (0, 0), sigma))
        large = assessed(cv2.GaussianBlur(larger, (0, 0), sigma * 150 / 112))
        assert large.sharpness[0] == pytest.approx(small.sharpness[0], abs=0.08)


def test_no_faces() -> None:
    quality = assess(IMAGE, Faces.empty(), np.zeros((0, 112, 112, 3), np.uint8))
    assert len(quality) == 0
    assert all(values.dtype == np.float32 for values in vars(quality).values())


def test_degenerate_landmarks_give_numbers() -> None:
    quality = assessed(landmarks=np.zeros((5, 2), np.float32))
    assert all(np.isfinite(values).all() for values in vars(quality).values())
