"""The embedders that can be trained, by name; imports Keras."""

from collections.abc import Callable
from functools import partial

import keras
import numpy as np

from facerec.errors import ModelError
from facerec.models.iresnet import build_iresnet
from facerec.models.mobilefacenet import build_mobilefacenet
from facerec.models.sface import build_sface

__all__ = ["TRAINABLE", "build_embedder", "multiply_adds"]

TRAINABLE: dict[str, Callable[[int, int], keras.Model]] = {
    "mobilefacenet": build_mobilefacenet,
    "iresnet18": partial(build_iresnet, 18),
    "iresnet18-half": partial(build_iresnet, 18, width=0.5),
    "iresnet18-quarter": partial(build_iresnet, 18, width=0.25),
    "iresnet50": partial(build_iresnet, 50),
    "iresnet100": partial(build_iresnet, 100),
    "sface": build_sface,
}
"""Name -> builder of (embedding size, chip side). Half and quarter are widths: on a CPU a narrow
IResNet learns about three times as fast as a MobileFaceNet of as many multiply-adds, whose
depthwise convolutions wait for memory."""


def build_embedder(name: str, embedding_size: int, chip_size_px: int) -> keras.Model:
    """Build one of the trainable embedders, weights not yet set.

    Raises:
        ModelError: there is none of that name, or the chip's side is not a multiple of 16.
    """
    if name not in TRAINABLE:
        raise ModelError(f"no trainable network is named {name}; there are: {', '.join(TRAINABLE)}")
    if chip_size_px % 16 or chip_size_px < 32:
        raise ModelError(
            f"a chip's side must be a multiple of 16, at least 32; received {chip_size_px}: these "
            "networks halve it four times"
        )
    return TRAINABLE[name](embedding_size, chip_size_px)


def multiply_adds(network: keras.Model) -> int:
    """Return how many multiply-adds the convolutions and dense layers take for one input.

    A kernel of (h, w, in, out) is applied at every place of the output, as papers count it;
    normalisation and activation, folded or negligible, are left out.
    """
    total = 0
    for layer in network.layers:
        if hasattr(layer, "kernel"):
            places = int(np.prod(layer.output.shape[1:-1]))
            total += places * int(np.prod(layer.kernel.shape))
    return total
