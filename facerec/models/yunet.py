"""YuNet, the default face detector.

W. Wu, H. Peng, S. Yu: "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence
Research 20 (2023), as published in libfacedetection.train (configuration yunet_n). The batch
normalisation of training is folded into the published weights' convolutions.
"""

import keras
from keras import layers, ops

from facerec.models.blocks import convolution_3x3, depthwise_3x3, pixels_to_float, upsample_nearest

__all__ = ["YUNET_STRIDES", "build_yunet", "yunet_backbone"]

YUNET_STRIDES = (8, 16, 32)
"""Pixels of the image a cell, level by level in the order of the output."""


def build_yunet() -> keras.Model:
    """Build YuNet with free image size, weights not yet loaded.

    Returns:
        Model of 53,104 parameters. Input uint8 (n, h, w, 3), BGR, h and w multiples of 32. Output
        float32 (n, cells, 16): class score and objectness (0..1 each), box (centre x, y in cells
        from the cell's corner; log width, log height in cells), five landmarks (x, y in cells from
        the cell's corner); cells of stride 8, then 16, then 32, row by row.
    """
    pixels = keras.Input((None, None, 3), dtype="uint8", name="image_bgr")
    levels = yunet_backbone(pixels_to_float(pixels))
    heads = [
        _head(features, f"head_{stride}")
        for stride, features in zip(YUNET_STRIDES, levels, strict=True)
    ]
    return keras.Model(pixels, ops.concatenate(heads, axis=1), name="yunet")


def yunet_backbone(x: keras.KerasTensor) -> tuple[keras.KerasTensor, ...]:
    """Apply the backbone and the feature pyramid to float32 BGR in 0..255.

    Returns:
        Features of 64 channels at stride 8, 16 and 32.
    """
    x = layers.ReLU(name="stem_relu")(convolution_3x3(x, 16, strides=2, name="stem"))
    x = _unit(x, 16, "stage0")
    x = layers.MaxPooling2D(2, name="stage0_pool")(x)
    x = _unit(_unit(x, 16, "stage1_unit0"), 32, "stage1_unit1")
    x = _unit(_unit(x, 32, "stage2_unit0"), 64, "stage2_unit1")
    pyramid = []
    for stage in (3, 4, 5):
        x = layers.MaxPooling2D(2, name=f"stage{stage - 1}_pool")(x)
        x = _unit(_unit(x, 64, f"stage{stage}_unit0"), 64, f"stage{stage}_unit1")
        pyramid.append(x)
    return _neck(*pyramid)


def _unit(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    """Mix the channels, filter each by itself, rectify: the paper's depthwise-separable unit."""
    x = layers.Conv2D(filters, 1, name=f"{name}_pointwise")(x)
    return layers.ReLU(name=f"{name}_relu")(depthwise_3x3(x, name=f"{name}_depthwise"))


def _neck(
    fine: keras.KerasTensor, middle: keras.KerasTensor, coarse: keras.KerasTensor
) -> tuple[keras.KerasTensor, ...]:
    """Carry coarse features down to the finer levels (the paper's tiny feature pyramid)."""
    coarse = _unit(coarse, 64, "neck_32")
    middle = layers.Add(name="neck_16_add")([middle, upsample_nearest(coarse)])
    middle = _unit(middle, 64, "neck_16")
    fine = layers.Add(name="neck_8_add")([fine, upsample_nearest(middle)])
    return _unit(fine, 64, "neck_8"), middle, coarse


def _head(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Predict 16 numbers a cell.

    The paper's four branches (class, objectness, box, landmarks) are each a pointwise and a
    depthwise convolution; side by side they are one of each with the channels of all four.
    """
    x = layers.Conv2D(16, 1, name=f"{name}_pointwise")(x)
    x = depthwise_3x3(x, name=f"{name}_depthwise")
    x = ops.concatenate([ops.sigmoid(x[..., :2]), x[..., 2:]], axis=-1)
    return layers.Reshape((-1, 16), name=f"{name}_cells")(x)
