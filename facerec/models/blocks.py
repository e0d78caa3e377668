"""Keras blocks that more than one network is built of."""

import keras
from keras import layers, ops

__all__ = ["convolution_3x3", "depthwise_3x3", "pixels_to_float", "upsample_nearest"]


def pixels_to_float(
    pixels: keras.KerasTensor,
    *,
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0),
    scale: float = 1.0,
) -> keras.KerasTensor:
    """Turn uint8 pixels into a network's float32 input, ``(x - offset) * scale``.

    The channel order stays BGR: weights that were trained on RGB are converted with the input
    channels of their first convolution reversed, which gives the same sums and costs nothing.

    Args:
        pixels: uint8 (n, h, w, 3), BGR.
        offset: Subtracted per channel, in 0..255 units, in the order of the channels.
        scale: Multiplied after the subtraction.

    Returns:
        float32 of the same shape.
    """
    if not any(offset) and scale == 1.0:
        return ops.cast(pixels, "float32")
    shift = [-value * scale for value in offset]
    return layers.Rescaling(scale, shift, name="preprocessing")(pixels)


def convolution_3x3(
    x: keras.KerasTensor, filters: int, *, strides: int = 1, use_bias: bool = True, name: str
) -> keras.KerasTensor:
    """Convolve 3x3 with one pixel of zeros all round, as PyTorch and MXNet pad.

    With stride 2 and an even side, Keras' own "same" padding puts its single row and column of
    zeros at the bottom right; networks trained elsewhere have it at the top left.
    """
    x, padding = _padded(x, strides, name)
    return layers.Conv2D(
        filters, 3, strides=strides, padding=padding, use_bias=use_bias, name=name
    )(x)


def depthwise_3x3(
    x: keras.KerasTensor, *, strides: int = 1, use_bias: bool = True, name: str
) -> keras.KerasTensor:
    """Convolve each channel by itself 3x3, padded as in `convolution_3x3`."""
    x, padding = _padded(x, strides, name)
    return layers.DepthwiseConv2D(
        3, strides=strides, padding=padding, use_bias=use_bias, name=name
    )(x)


def upsample_nearest(x: keras.KerasTensor) -> keras.KerasTensor:
    """Double height and width by repeating each pixel.

    Copies of the channels moved into space, and not a resize: its output size follows from its
    input's without a size tensor, so the exported graph stays whole when height and width are
    free (XNNPACK takes no operation whose output shape is computed while it runs).
    """
    return ops.depth_to_space(ops.concatenate([x, x, x, x], axis=-1), 2)


def _padded(x: keras.KerasTensor, strides: int, name: str) -> tuple[keras.KerasTensor, str]:
    """Pad for a strided convolution (sides are even, so the far edge needs no zeros)."""
    if strides == 1:
        return x, "same"
    return layers.ZeroPadding2D(((1, 0), (1, 0)), name=f"{name}_pad")(x), "valid"
