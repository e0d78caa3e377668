"""The optimizer of a run: schedule, decay, clipping and averaging as the settings say."""

import pytest

from facerec.training.settings import settings_from
from facerec.training.trainee import optimizer_of


@pytest.mark.parametrize("name", ["sgd", "adamw"])
@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_the_rate_rises_and_falls_and_any_decay_is_taken(name: str, decay: float) -> None:
    settings = settings_from(
        {"optimizer": name, "weight_decay": decay, "learning_rate": 0.4, "epochs": 10}
    )
    optimizer = optimizer_of(settings, 20)
    rate = optimizer._learning_rate
    received = [float(rate(step)) for step in (0, 10, 20, 110, 200)]
    # A warm-up of one epoch, then half of a cosine over the nine that are left.
    assert received == pytest.approx([0, 0.2, 0.4, 0.2, 0], abs=1e-6)
    assert (optimizer.weight_decay or 0.0) == decay
    assert optimizer.global_clipnorm == 5.0 and optimizer.use_ema
