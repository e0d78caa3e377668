"""Timing a training step: forward, loss, backward and update together."""

import statistics
import time
from dataclasses import dataclass, replace

import keras
import numpy as np

from facerec.models.trainable import multiply_adds
from facerec.training.run_network import build_network, is_compiled_whole, precision_of
from facerec.training.settings import TrainingSettings
from facerec.training.trainee import Trainee, optimizer_of

__all__ = ["StepTimes", "measure_step"]

PEOPLE = 1000
"""People of the made-up data: their centres are 1 % of IResNet-50's multiply-adds."""
FORWARD_AND_BACKWARD = 3
"""Backward takes a product for the inputs' and one for the weights' slopes: twice the forward."""


@dataclass(frozen=True)
class StepTimes:
    """What a step took.

    Attributes:
        network: Its name.
        backend: Keras backend.
        precision: It computed in.
        batch_size: Pictures a step.
        step_ms: Median.
        images_per_s: At the median.
        tflops: Floating-point operations a second (a multiply-add is two), forward and backward.
        share_of_peak: Of the peak that was stated; None when none was.
    """

    network: str
    backend: str
    precision: str
    batch_size: int
    step_ms: float
    images_per_s: float
    tflops: float
    share_of_peak: float | None


def measure_step(settings: TrainingSettings, steps: int, peak_tflops: float | None) -> StepTimes:
    """Time training steps on made-up chips, the first ones left out.

    Args:
        settings: Network, precision and batch size.
        steps: Steps to time.
        peak_tflops: The card's peak in that precision, as its maker states it; None if unknown.
    """
    random = np.random.default_rng(0)
    side, count = settings.chip_size_px, settings.batch_size
    batch = {
        "chips": random.integers(0, 256, (count, side, side, 3), dtype=np.uint8),
        "people": random.integers(0, PEOPLE, count).astype(np.int32),
    }
    with precision_of(settings.precision):
        network = build_network(replace(settings, start=""), None)
        trainee = Trainee(network, settings, PEOPLE)
        trainee.compile(optimizer=optimizer_of(settings, 1000), jit_compile=is_compiled_whole())
        for _ in range(2):
            trainee.train_on_batch(batch)  # traced and compiled here
        seconds = []
        for _ in range(steps):
            began = time.perf_counter()
            trainee.train_on_batch(batch)  # gives the loss, so it has been computed
            seconds.append(time.perf_counter() - began)
    step = statistics.median(seconds)
    operations = 2 * FORWARD_AND_BACKWARD * multiply_adds(network) * count
    tflops = operations / step / 1e12
    return StepTimes(
        settings.network,
        keras.backend.backend(),
        settings.precision,
        count,
        1000 * step,
        count / step,
        tflops,
        None if peak_tflops is None else tflops / peak_tflops,
    )
