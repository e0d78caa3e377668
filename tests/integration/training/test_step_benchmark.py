"""What a timed step states follows from the network and the time it took."""

import pytest

from facerec.models.trainable import build_embedder, multiply_adds
from facerec.training.settings import TrainingSettings
from facerec.training.step_benchmark import measure_step

# Keras' own variables do not know NumPy 2's copy keyword yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.slow
def test_images_and_share_of_the_peak_follow_from_the_time_of_a_step() -> None:
    settings = TrainingSettings(network="iresnet18-quarter", chip_size_px=32, batch_size=4)
    times = measure_step(settings, 3, peak_tflops=0.5)
    assert times.images_per_s == pytest.approx(4 / (times.step_ms / 1000))
    # Forward, and backward twice that; a multiply-add is two operations.
    operations = 6 * multiply_adds(build_embedder("iresnet18-quarter", 128, 32)) * 4
    assert times.tflops == pytest.approx(operations / (times.step_ms / 1000) / 1e12)
    assert times.share_of_peak == pytest.approx(times.tflops / 0.5)
