"""MobileFaceNet, an embedder for weak computers.

S. Chen, Y. Liu, X. Gao, Z. Han: "MobileFaceNets: Efficient CNNs for Accurate Real-time Face
Verification on Mobile Devices", CCBR 2018, table 1: inverted residuals (M. Sandler et al.,
"MobileNetV2", 2018) with a PReLU in place of ReLU6, and a global *depthwise* convolution in place
of the average over the last features, since the middle of an aligned face tells more than its rim.
The paper states .99 million parameters and 221 million multiply-adds.
"""

import keras
from keras import layers

from facerec.models.blocks import convolution_3x3, depthwise_3x3, pixels_to_float

__all__ = ["MOBILEFACENET_STAGES", "build_mobilefacenet"]

MOBILEFACENET_STAGES = (
    # name, channels, channels inside, stride, residual blocks that follow
    (64, 128, 2, 4),
    (128, 256, 2, 6),
    (128, 512, 2, 2),
)
"""Channels, channels inside, stride of the first block of a stage; blocks that follow it with the
channels inside of `_INSIDE_RESIDUAL`."""
_INSIDE_RESIDUAL = (128, 256, 256)
_EPSILON = 1e-5


def build_mobilefacenet(
    embedding_size: int = 128,
    chip_size_px: int = 112,
    *,
    width: int = 1,
    offset: tuple[float, float, float] = (127.5, 127.5, 127.5),
    scale: float = 1 / 127.5,
    epsilon: float = _EPSILON,
) -> keras.Model:
    """Build MobileFaceNet, weights not yet set.

    Args:
        embedding_size: Numbers in an embedding.
        chip_size_px: Side of the chips, a multiple of 16.
        width: Channels outside of the blocks, in multiples of the paper's; 2 is the layout that
            InsightFace's ArcFace code trains and exports.
        offset: Subtracted from pixels, in the order of the channels, BGR.
        scale: Pixels become ``(x - offset) * scale``.
        epsilon: Of the batch normalisations.

    Returns:
        Model of 1,003,136 learned parameters and 221.0 million multiply-adds at the paper's sizes
        (the paper states .99 and 221 million). Input uint8 (n, s, s, 3), BGR, aligned chips. Output
        float32 (n, embedding_size), not yet of unit length.
    """
    chips = keras.Input((chip_size_px, chip_size_px, 3), dtype="uint8", name="chips_bgr")
    x = pixels_to_float(chips, offset=offset, scale=scale)
    blocks = _Blocks(epsilon)
    x = convolution_3x3(x, 64 * width, strides=2, use_bias=False, name="stem")
    x = blocks.activated(x, "stem")
    x = blocks.activated(_second(x, width), "stem2")
    for stage, (channels, inside, strides, more) in enumerate(MOBILEFACENET_STAGES, start=1):
        name = f"stage{stage}"
        x = blocks.block(x, channels * width, inside, strides, f"{name}_block0")
        for number in range(1, more + 1):
            inner = _INSIDE_RESIDUAL[stage - 1]
            y = blocks.block(x, channels * width, inner, 1, f"{name}_block{number}")
            x = layers.Add(name=f"{name}_block{number}_add")([x, y])
    x = blocks.activated(layers.Conv2D(512, 1, use_bias=False, name="last")(x), "last")
    side = chip_size_px // 16
    x = layers.DepthwiseConv2D(side, use_bias=False, name="global")(x)
    x = layers.Flatten(name="flatten")(blocks.normalised(x, "global"))
    x = layers.Dense(embedding_size, use_bias=False, name="embedding")(x)
    return keras.Model(chips, blocks.normalised(x, "embedding"), name="mobilefacenet")


def _second(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """Filter in 64 groups of channels, which is depthwise at the paper's width."""
    if width == 1:
        return depthwise_3x3(x, use_bias=False, name="stem2")
    return layers.Conv2D(64 * width, 3, padding="same", groups=64, use_bias=False, name="stem2")(x)


class _Blocks:
    """The parts of the network, all normalising with one epsilon."""

    def __init__(self, epsilon: float) -> None:
        self._epsilon = epsilon

    def normalised(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return layers.BatchNormalization(epsilon=self._epsilon, momentum=0.9, name=f"{name}_norm")(
            x
        )

    def activated(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return layers.PReLU(shared_axes=(1, 2), name=f"{name}_prelu")(self.normalised(x, name))

    def block(
        self, x: keras.KerasTensor, channels: int, inside: int, strides: int, name: str
    ) -> keras.KerasTensor:
        """Widen, filter each channel, narrow without an activation (the linear bottleneck)."""
        x = layers.Conv2D(inside, 1, use_bias=False, name=f"{name}_widen")(x)
        x = self.activated(x, f"{name}_widen")
        x = depthwise_3x3(x, strides=strides, use_bias=False, name=f"{name}_depthwise")
        x = self.activated(x, f"{name}_depthwise")
        x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_narrow")(x)
        return self.normalised(x, f"{name}_narrow")
