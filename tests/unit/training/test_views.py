"""Forms of chips that teacher and student both see."""

from types import SimpleNamespace

import numpy as np
import pytest

from facerec.errors import TrainingError
from facerec.models.catalogue import ARCFACE_ALIGNMENT
from facerec.training.augmentation import Augmentation
from facerec.training.batches import Batches
from facerec.training.sampling import Sampler
from facerec.training.settings import settings_from
from facerec.training.teaching import taught
from facerec.training.views import Views

HELD_OUT = 5
ROWS = np.array([0, 1, 2, 3, 4, 6, 7], np.intp)
CHIPS = np.random.default_rng(0).integers(0, 256, (8, 112, 112, 3), dtype=np.uint8)
STILL = Augmentation(
    mirror=0.5, scale=0.0, shift=0.0, turn_degrees=0.0, occlusion=0.0, light=0.0, grey=0.0,
    resolution=0.0, blur=0.0, noise=0.0, jpeg=0.0,
)  # fmt: skip


def views(**changes: object) -> Views:
    usual = dict(read=lambda row: CHIPS[row], rows=ROWS, count=3, changed=True,
                 augmentation=Augmentation(), blending=0.0, seed=7)  # fmt: skip
    return Views(**{**usual, **changes})  # type: ignore[arg-type]


class Corner:
    """A teacher that says of a chip what its pixels are, and keeps what it was shown."""

    embedding_space = "corner"
    alignment = ARCFACE_ALIGNMENT

    def __init__(self) -> None:
        self.shown = 0

    def embed(self, chips: np.ndarray, *, mirrored: bool) -> np.ndarray:
        assert mirrored
        self.shown += len(chips)
        return said_of(chips)


def said_of(chips: np.ndarray) -> np.ndarray:
    both = chips.astype(np.float32) + chips[:, :, ::-1]
    return both.reshape(len(chips), -1)[:, :50]


def test_a_form_is_made_again_and_forms_differ() -> None:
    forms = [views().chip(2, number) for number in range(3)]
    assert all(np.array_equal(form, views().chip(2, n)) for n, form in enumerate(forms))
    assert not np.array_equal(forms[0], forms[1])
    assert np.array_equal(views(changed=False).chip(2, 0), CHIPS[2])
    assert not np.array_equal(forms[0], views(seed=8).chip(2, 0))


def test_a_blend_lies_between_two_people_learned_from() -> None:
    read: list[int] = []

    def reading(row: int) -> np.ndarray:
        read.append(row)
        return np.full((112, 112, 3), 200 if row == 0 else 20, np.uint8)

    blending = views(read=reading, blending=1.0, augmentation=STILL, count=60)
    forms = np.stack([blending.chip(0, number) for number in range(60)])
    assert HELD_OUT not in read and set(read) == set(ROWS.tolist())
    assert forms.min() >= 20 and forms.max() <= 200
    between = ((forms > 30) & (forms < 190)).mean(axis=(1, 2, 3))
    assert np.mean(between > 0.3) > 0.5  # most are neither the one nor the other


def test_the_student_sees_what_the_teacher_answered() -> None:
    teacher, told = Corner(), []
    made = taught(_Reader(), views(), teacher, told.append)  # type: ignore[arg-type]
    assert teacher.shown == sum(told) == 21 and made.embeddings.shape == (8, 3, 50)
    assert not made.embeddings[HELD_OUT].any()
    people = np.arange(7, dtype=np.int32)
    batches = Batches(lambda row: CHIPS[ROWS[row]], people, Sampler(people, 4, 0, 7),
                      Augmentation(), 112, made.embeddings[ROWS], views())  # fmt: skip
    for step in range(6):
        batch = batches.batch(step)
        # Mirrored or not, the answer is that to the very chip.
        np.testing.assert_array_equal(said_of(batch["chips"]), batch["teacher"])
        assert np.array_equal(batches.batch(step)["chips"], batch["chips"])


class _Reader:
    description = SimpleNamespace(alignment=ARCFACE_ALIGNMENT)

    def __len__(self) -> int:
        return len(CHIPS)


@pytest.mark.parametrize(
    "given",
    [
        {"teacher_views": 3},
        {"blending": 0.5, "teacher": "sface", "cosine_weight": 1.0, "loss": "none"},
        {"blending": 0.5, "teacher": "sface", "cosine_weight": 1.0, "teacher_views": 2},
        {"teacher_views": -1, "teacher": "sface", "cosine_weight": 1.0},
    ],
)
def test_forms_and_blends_need_a_teacher_and_blends_no_labels(given: dict) -> None:
    with pytest.raises(TrainingError, match=r"teacher_views|blending"):
        settings_from(given)
