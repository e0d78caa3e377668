"""CenterFace, the more exact detector of small faces.

Y. Xu, W. Yan, G. Yang et al.: "CenterFace: Joint Face Detection and Alignment Using Face as Point",
Scientific Programming 2020. Backbone: M. Sandler et al., "MobileNetV2: Inverted Residuals and
Linear Bottlenecks", CVPR 2018, with plain ReLU and its batch normalisation folded into the
published weights' convolutions.
"""

import keras
from keras import layers, ops

from facerec.models.blocks import convolution_3x3, depthwise_3x3, pixels_to_float

__all__ = ["CENTERFACE_STAGES", "CENTERFACE_STRIDE", "build_centerface", "centerface_backbone"]

CENTERFACE_STRIDE = 4
"""Pixels of the image a cell of the only output level."""

CENTERFACE_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, channels, blocks and first stride of each stage: MobileNetV2's table 2."""


def build_centerface() -> keras.Model:
    """Build CenterFace with free image size, weights not yet loaded.

    Returns:
        Model of 1,820,143 parameters. Input uint8 (n, h, w, 3), BGR, h and w multiples of 32.
        Output float32 (n, h/4, w/4, 15): face-centre heatmap (0..1), log height and log width in
        cells, offset (y, x) of the centre in cells, five landmarks (y, x) in units of the box from
        its corner.
    """
    pixels = keras.Input((None, None, 3), dtype="uint8", name="image_bgr")
    x = _neck(*centerface_backbone(pixels_to_float(pixels)))
    x = layers.ReLU(name="head_relu")(convolution_3x3(x, 24, name="head_mix"))
    # The paper's four 1x1 branches, side by side as one convolution.
    x = layers.Conv2D(15, 1, name="head")(x)
    maps = ops.concatenate([ops.sigmoid(x[..., :1]), x[..., 1:]], axis=-1)
    return keras.Model(pixels, maps, name="centerface")


def centerface_backbone(x: keras.KerasTensor) -> tuple[keras.KerasTensor, ...]:
    """Apply MobileNetV2 to float32 BGR in 0..255.

    Returns:
        Features of 24, 32, 96 and 320 channels at stride 4, 8, 16 and 32.
    """
    x = layers.ReLU(name="stem_relu")(convolution_3x3(x, 32, strides=2, name="stem"))
    outputs = []
    for stage, (expansion, filters, blocks, strides) in enumerate(CENTERFACE_STAGES):
        for block in range(blocks):
            x = _inverted_residual(
                x, filters, expansion, strides if block == 0 else 1, f"stage{stage}_block{block}"
            )
        outputs.append(x)
    return outputs[1], outputs[2], outputs[4], outputs[6]


def _inverted_residual(
    x: keras.KerasTensor, filters: int, expansion: int, strides: int, name: str
) -> keras.KerasTensor:
    """Widen, filter each channel by itself, narrow without activation; add the input if it fits."""
    y = x
    if expansion > 1:
        y = layers.Conv2D(x.shape[-1] * expansion, 1, activation="relu", name=f"{name}_expand")(y)
    y = depthwise_3x3(y, strides=strides, name=f"{name}_depthwise")
    y = layers.ReLU(name=f"{name}_relu")(y)
    y = layers.Conv2D(filters, 1, name=f"{name}_project")(y)
    if strides == 1 and x.shape[-1] == filters:
        y = layers.Add(name=f"{name}_add")([x, y])
    return y


def _neck(*levels: keras.KerasTensor) -> keras.KerasTensor:
    """Carry coarse features up to stride 4, adding each finer level on the way."""
    *finer, coarsest = levels
    x = layers.Conv2D(24, 1, activation="relu", name="neck_lateral3")(coarsest)
    for level in (2, 1, 0):
        x = _double(x, f"neck_up{level}")
        lateral = layers.Conv2D(24, 1, activation="relu", name=f"neck_lateral{level}")
        x = layers.Add(name=f"neck_add{level}")([x, lateral(finer[level])])
    return x


def _double(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Double height and width by a learned 2x2 transposed convolution.

    A kernel as wide as its stride overlaps nothing, so the transposed convolution is a 1x1 one
    whose channels are moved into space (see `upsample_nearest` for why it is written so).
    """
    x = layers.Conv2D(4 * 24, 1, name=name)(x)
    return layers.ReLU(name=f"{name}_relu")(ops.depth_to_space(x, 2))
