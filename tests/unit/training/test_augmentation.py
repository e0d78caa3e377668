"""Augmentation: seeded, bounded, each change does what it says."""

import cv2
import numpy as np
import pytest

from facerec.training.augmentation import Augmentation, augment, resized
from facerec.training.occlusion import OCCLUSIONS

NOTHING = Augmentation(**{name: 0.0 for name in vars(Augmentation())})
CHIP = cv2.GaussianBlur(
    np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8), (0, 0), 2
)


def with_only(**given: float) -> Augmentation:
    return Augmentation(**{**vars(NOTHING), **given})


def run(how: Augmentation, seed: int = 0, side: int = 112) -> np.ndarray:
    return augment(CHIP, np.random.default_rng(seed), how, side)


def test_nothing_changes_nothing() -> None:
    assert np.abs(run(NOTHING).astype(int) - CHIP).max() <= 1
    assert np.array_equal(resized(CHIP, 112), CHIP)


def test_the_same_seed_gives_the_same_pixels() -> None:
    for seed in range(20):
        assert np.array_equal(run(Augmentation(), seed), run(Augmentation(), seed))
    assert len({run(Augmentation(), seed).tobytes() for seed in range(20)}) == 20


def test_a_mirror_image_is_one() -> None:
    assert np.abs(run(with_only(mirror=1.0)).astype(int) - CHIP[:, ::-1]).max() <= 1


@pytest.mark.parametrize(
    "change", ["occlusion", "light", "grey", "resolution", "blur", "noise", "jpeg"]
)
def test_each_change_changes_and_keeps_the_shape(change: str) -> None:
    for seed in range(8):
        changed = run(with_only(**{change: 1.0}), seed)
        assert changed.shape == (112, 112, 3) and changed.dtype == np.uint8
        assert not np.array_equal(changed, run(NOTHING, seed))


def test_resolution_and_blur_take_detail_away_and_noise_adds_it() -> None:
    def detail(chip: np.ndarray) -> float:
        return float(cv2.Laplacian(chip, cv2.CV_64F).var())

    sharp = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    for seed in range(8):
        for change in ("resolution", "blur"):
            made = augment(sharp, np.random.default_rng(seed), with_only(**{change: 1.0}), 112)
            assert detail(made) < 0.8 * detail(sharp), change
        assert detail(run(with_only(noise=1.0), seed)) > detail(run(NOTHING, seed))


def test_grey_has_no_colour() -> None:
    grey = run(with_only(grey=1.0))
    assert np.array_equal(grey[..., 0], grey[..., 1]) and np.array_equal(grey[..., 1], grey[..., 2])


def test_geometry_keeps_the_middle_near_the_middle() -> None:
    dot = np.zeros((112, 112, 3), np.uint8)
    cv2.circle(dot, (56, 56), 4, (255, 255, 255), -1)
    for side in (112, 64):
        for seed in range(30):
            how = with_only(scale=0.1, shift=0.05, turn_degrees=8.0)
            made = augment(dot, np.random.default_rng(seed), how, side)[..., 0]
            y, x = np.argwhere(made > 100).mean(axis=0)
            assert abs(x - side / 2) <= 0.05 * side + 1.5 and abs(y - side / 2) <= 0.05 * side + 1.5


def test_a_smaller_chip_has_the_landmarks_of_the_scaled_template() -> None:
    dot = np.zeros((112, 112, 3), np.uint8)
    dot[69:74, 54:59] = 255  # around the nose tip, (56.0, 71.0)
    y, x = np.average(np.argwhere(resized(dot, 64)[..., 0] > 60), axis=0)
    assert (x, y) == pytest.approx((56 * 64 / 112, 71 * 64 / 112), abs=0.5)


@pytest.mark.parametrize("shape", OCCLUSIONS, ids=lambda s: s.__name__)
def test_occlusions_hide_a_part_and_not_the_whole(shape) -> None:
    shares = []
    for seed in range(12):
        hidden = CHIP.copy()
        shape(hidden, np.random.default_rng(seed))
        shares.append((hidden != CHIP).any(axis=2).mean())
    assert 0.02 < np.mean(shares) < 0.6
