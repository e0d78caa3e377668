"""First weights of a network, the same for a seed on every Keras backend.

K. He, X. Zhang, S. Ren, J. Sun: "Delving Deep into Rectifiers", ICCV 2015. A layer that sums n
inputs makes their variance n times that of a weight larger, and a PReLU of slope a lets
``(1 + a^2) / 2`` of the variance through (their equation 15). So weights are drawn with the
variance ``2 / ((1 + a^2) n)``: signals then neither die out nor blow up from layer to layer,
however many there are; Xavier's rule, made for tanh, halves them at every rectifier. Slopes begin
at a = .25, as there. The embedding has no rectifier behind it, so its variance is ``1 / n``.
"""

import keras
import numpy as np

__all__ = ["PRELU_SLOPE", "initialise"]

PRELU_SLOPE = 0.25
"""First slope of every PReLU (He and others 2015, section 2.1)."""


def initialise(network: keras.Model, seed: int) -> None:
    """Set all weights of a network to first values.

    Args:
        network: Of convolutions, dense layers, batch normalisations and PReLUs.
        seed: Of the draws, which NumPy makes: no backend's own generator is asked.
    """
    random = np.random.default_rng([seed, 3])
    for layer in network.layers:
        if isinstance(layer, keras.layers.PReLU):
            layer.set_weights([np.full(layer.weights[0].shape, PRELU_SLOPE, np.float32)])
        elif isinstance(layer, keras.layers.BatchNormalization):
            channels = layer.weights[0].shape
            layer.set_weights([np.full(channels, v, np.float32) for v in (1, 0, 0, 1)])
        elif hasattr(layer, "kernel"):
            _initialise_kernel(layer, random)


def _initialise_kernel(layer: keras.layers.Layer, random: np.random.Generator) -> None:
    shape = tuple(layer.kernel.shape)
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    inputs = int(np.prod(shape[:2] if depthwise else shape[:-1]))
    is_linear = isinstance(layer, keras.layers.Dense)
    variance = (1 if is_linear else 2 / (1 + PRELU_SLOPE**2)) / inputs
    kernel = random.standard_normal(shape).astype(np.float32) * np.float32(np.sqrt(variance))
    rest = [np.zeros(w.shape, np.float32) for w in layer.weights[1:]]
    layer.set_weights([kernel, *rest])
