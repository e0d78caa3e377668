"""Settings of a run: read, refused, compared."""

import math

import pytest

from facerec.errors import TrainingError
from facerec.training.settings import (
    TrainingSettings,
    differences,
    settings_from,
    settings_to_json,
)


def test_settings_survive_their_json_form() -> None:
    made = settings_from({"epochs": 3, "learning_rate": 1, "augmentation": {"blur": 0.5}})
    assert made.epochs == 3 and made.learning_rate == 1.0 and made.augmentation.blur == 0.5
    assert settings_from(settings_to_json(made)) == made
    assert settings_from({}) == TrainingSettings()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"epoch": 3}, "no setting epoch"),
        ({"augmentation": {"blurr": 1.0}}, "no setting augmentation.blurr"),
        ({"epochs": "many"}, "epochs must be of type int"),
        ({"epochs": 0}, "epochs must be above 0"),
        ({"loss": "hinge"}, "loss must be one of softmax"),
        ({"teacher": "sface"}, "go together"),
        ({"cosine_weight": 1.0}, "go together"),
        ({"loss": "none"}, "nothing to learn from"),
        ({"loss": "triplet"}, "per_person 2"),
        ({"held_out_share": 0.0}, "somebody must be judged on"),
        ({"precision": "float64"}, "precision must be one of"),
        ({"averaging": 1.0}, "averaging must lie in"),
        ({"seed": -1}, "seed must be 0 or more; received -1"),
        ({"patience": -1}, "patience must be 0 or more"),
        ({"depth": -1}, "depth must be 0 or more"),
        ({"steps_per_epoch": -3}, "steps_per_epoch must be 0 or more"),
        ({"per_person": -2}, "per_person must be 0 or more"),
        ({"teacher_views": -1}, "teacher_views must be 0 or more"),
        ({"clip_norm": -1.0}, "clip_norm must be 0 or more"),
        ({"cosine_weight": -1.0}, "cosine_weight must be 0 or more"),
        ({"label_weight": 0.0}, "nothing to learn from"),
        ({"learning_rate": math.inf}, "learning_rate must be a finite number; received inf"),
        ({"margin": math.nan}, "margin must be a finite number"),
        ({"augmentation": {"mirror": 7}}, "augmentation.mirror must lie in 0..1; received 7"),
        ({"augmentation": {"scale": -0.1}}, "augmentation.scale must lie in 0..0.5"),
        ({"augmentation": {"jpeg": math.nan}}, "augmentation.jpeg must lie in 0..1; received nan"),
    ],
)
def test_what_does_not_fit_is_named(given: dict, named: str) -> None:
    with pytest.raises(TrainingError, match=named):
        settings_from(given)


def test_differences_are_named_down_to_the_entry() -> None:
    one = settings_to_json(TrainingSettings())
    other = settings_to_json(settings_from({"epochs": 7, "augmentation": {"jpeg": 0.0}}))
    assert differences(one, one) == ()
    assert differences(one, other) == (
        "augmentation.jpeg: was 0.3, is 0.0",
        "epochs: was 20, is 7",
    )
