"""SFace, the default embedder.

Y. Zhong, W. Deng, J. Hu et al.: "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face
Recognition", IEEE Transactions on Image Processing 30 (2021). The network is MobileFaceNet's
ancestor: A. Howard et al., "MobileNets", 2017, with a batch normalisation and a PReLU after every
convolution.
"""

import keras
from keras import layers

from facerec.models.blocks import convolution_3x3, depthwise_3x3, pixels_to_float

__all__ = ["SFACE_BLOCKS", "SFACE_CHIP_PX", "SFACE_EMBEDDING_SIZE", "build_sface", "sface_backbone"]

SFACE_CHIP_PX = 112
SFACE_EMBEDDING_SIZE = 128

SFACE_BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
)
"""Channels and stride of each depthwise-separable block."""

_CONVOLUTION_EPSILON = 1e-3  # as in the published graph
_EMBEDDING_EPSILON = 2e-5


def build_sface(
    embedding_size: int = SFACE_EMBEDDING_SIZE, chip_size_px: int = SFACE_CHIP_PX
) -> keras.Model:
    """Build SFace, weights not yet loaded.

    Args:
        embedding_size: Numbers in an embedding.
        chip_size_px: Side of the chips, a multiple of 16.

    Returns:
        Model of 9,667,072 parameters (9,644,544 of them trainable) at the sizes of the published
        weights. Input uint8 (n, 112, 112, 3), BGR, aligned chips. Output float32 (n, 128), not yet
        of unit length.
    """
    chips = keras.Input((chip_size_px, chip_size_px, 3), dtype="uint8", name="chips_bgr")
    x = pixels_to_float(chips, offset=(127.5, 127.5, 127.5), scale=1 / 128)
    x = sface_backbone(x)
    x = layers.BatchNormalization(epsilon=_EMBEDDING_EPSILON, name="features_norm")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(embedding_size, name="embedding")(x)
    x = layers.BatchNormalization(epsilon=_EMBEDDING_EPSILON, name="embedding_norm")(x)
    return keras.Model(chips, x, name="sface")


def sface_backbone(x: keras.KerasTensor) -> keras.KerasTensor:
    """Apply the convolutions to float32 BGR in -1..1.

    Returns:
        Features of 1024 channels at stride 16.
    """
    x = _activated(convolution_3x3(x, 32, use_bias=False, name="stem"), "stem")
    for number, (filters, strides) in enumerate(SFACE_BLOCKS, start=1):
        name = f"block{number}_depthwise"
        x = _activated(depthwise_3x3(x, strides=strides, use_bias=False, name=name), name)
        name = f"block{number}_pointwise"
        x = _activated(layers.Conv2D(filters, 1, use_bias=False, name=name)(x), name)
    return x


def _activated(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Normalise, then rectify with a learned slope a channel for negative values."""
    x = layers.BatchNormalization(epsilon=_CONVOLUTION_EPSILON, name=f"{name}_norm")(x)
    return layers.PReLU(shared_axes=(1, 2), name=f"{name}_prelu")(x)
