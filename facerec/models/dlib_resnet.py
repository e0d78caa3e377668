"""dlib's face recognition ResNet, the public-domain embedder.

D. King, "High Quality Face Recognition with Deep Metric Learning" (2017) and dlib's
``dnn_face_recognition_ex.cpp``: K. He et al., "Deep Residual Learning for Image Recognition",
CVPR 2016, with fewer layers, half the filters, parameter-free shortcuts, and batch normalisation
frozen into a scale and shift a channel, which are folded into the convolutions here.
"""

import keras
from keras import layers, ops

from facerec.models.blocks import pixels_to_float

__all__ = [
    "DLIB_RESNET_CHIP_PX",
    "DLIB_RESNET_EMBEDDING_SIZE",
    "DLIB_RESNET_STAGES",
    "build_dlib_resnet",
    "dlib_resnet_backbone",
]

DLIB_RESNET_CHIP_PX = 150
DLIB_RESNET_EMBEDDING_SIZE = 128

DLIB_RESNET_STAGES = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""Filters, blocks, and whether the first block halves height and width, of each stage."""


def build_dlib_resnet() -> keras.Model:
    """Build dlib's network, weights not yet loaded.

    Returns:
        Model of 5,607,488 parameters. Input uint8 (n, 150, 150, 3), BGR, aligned chips. Output
        float32 (n, 128), not yet of unit length (dlib's own use compares Euclidean distances of
        these).
    """
    chips = keras.Input((DLIB_RESNET_CHIP_PX, DLIB_RESNET_CHIP_PX, 3), dtype="uint8", name="chips")
    # dlib's input_rgb_image: average colour of its training set (R 122.782, G 117.001, B 104.298).
    x = pixels_to_float(chips, offset=(104.298, 117.001, 122.782), scale=1 / 256)
    x = dlib_resnet_backbone(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dense(DLIB_RESNET_EMBEDDING_SIZE, use_bias=False, name="embedding")(x)
    return keras.Model(chips, x, name="dlib_resnet")


def dlib_resnet_backbone(x: keras.KerasTensor) -> keras.KerasTensor:
    """Apply the convolutions to float32 BGR in about -.5..+.5.

    Returns:
        Features of 256 channels.
    """
    x = layers.Conv2D(32, 7, strides=2, activation="relu", name="stem")(x)
    x = layers.MaxPooling2D(3, strides=2, name="stem_pool")(x)
    for stage, (filters, blocks, halves) in enumerate(DLIB_RESNET_STAGES):
        for block in range(blocks):
            x = _residual(x, filters, halves and block == 0, f"stage{stage}_block{block}")
    return x


def _residual(x: keras.KerasTensor, filters: int, halves: bool, name: str) -> keras.KerasTensor:
    """Convolve twice and add the input; when halving, add its 2x2 averages instead."""
    if halves:
        # dlib pads no zeros before a strided convolution.
        y = layers.Conv2D(filters, 3, strides=2, activation="relu", name=f"{name}_conv0")(x)
        x = layers.AveragePooling2D(2, name=f"{name}_pool")(x)
    else:
        y = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_conv0")(x)
    y = layers.Conv2D(filters, 3, padding="same", name=f"{name}_conv1")(y)
    return layers.ReLU(name=f"{name}_relu")(_sum(x, y))


def _sum(x: keras.KerasTensor, y: keras.KerasTensor) -> keras.KerasTensor:
    """Add tensors of different size as dlib does: the smaller is continued with zeros."""
    shape = [max(a, b) for a, b in zip(x.shape[1:], y.shape[1:], strict=True)]
    return ops.add(_continued(x, shape), _continued(y, shape))


def _continued(x: keras.KerasTensor, shape: list[int]) -> keras.KerasTensor:
    missing = [want - have for want, have in zip(shape, x.shape[1:], strict=True)]
    return ops.pad(x, [(0, 0), *((0, n) for n in missing)]) if any(missing) else x
