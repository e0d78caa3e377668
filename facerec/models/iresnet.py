"""IResNet, the residual embedder of ArcFace and AdaFace.

J. Deng, J. Guo, N. Xue, S. Zafeiriou: "ArcFace: Additive Angular Margin Loss for Deep Face
Recognition", CVPR 2019, section 3.1: a ResNet (K. He et al., 2016) whose blocks normalise first
and last (D. Han, J. Kim, J. Kim: "Deep Pyramidal Residual Networks", 2017), with PReLU, a first
convolution that does not shrink the small chip, and the head BN - dropout - dense - BN (the
paper's "option E").
"""

import keras
from keras import layers

from facerec.models.blocks import convolution_3x3, pixels_to_float

__all__ = ["IRESNET_BLOCKS", "build_iresnet"]

IRESNET_BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}
"""Blocks of each stage, by the name's number of layers."""
_CHANNELS = (64, 128, 256, 512)
_EPSILON = 1e-5


def build_iresnet(
    depth: int,
    embedding_size: int = 512,
    chip_size_px: int = 112,
    *,
    width: float = 1.0,
    dropout: float = 0.0,
    offset: tuple[float, float, float] = (127.5, 127.5, 127.5),
    scale: float = 1 / 127.5,
    first_shortcut: bool = True,
    epsilon: float = _EPSILON,
) -> keras.Model:
    """Build IResNet, weights not yet set.

    Args:
        depth: 18, 50 or 100.
        embedding_size: Numbers in an embedding.
        chip_size_px: Side of the chips, a multiple of 16.
        width: Channels in multiples of the paper's: narrower for weak computers.
        dropout: Share of the last features left out in training (the paper takes .4; large
            training sets need none).
        offset: Subtracted from pixels, in the order of the channels, BGR.
        scale: Pixels become ``(x - offset) * scale``.
        first_shortcut: Whether the first block, which shrinks but does not widen, projects its
            input by a convolution (ArcFace's code) or takes every second pixel (AdaFace's).
        epsilon: Of the batch normalisations.

    Returns:
        Model whose learned parameters at 112 pixels and 512 numbers are 24.0, 43.6 and 65.2
        million. Input uint8 (n, s, s, 3), BGR, aligned chips. Output float32
        (n, embedding_size), not yet of unit length.
    """
    chips = keras.Input((chip_size_px, chip_size_px, 3), dtype="uint8", name="chips_bgr")
    x = pixels_to_float(chips, offset=offset, scale=scale)
    stem = round(_CHANNELS[0] * width)
    x = _normalised(convolution_3x3(x, stem, use_bias=False, name="stem"), "stem", epsilon)
    x = layers.PReLU(shared_axes=(1, 2), name="stem_prelu")(x)
    counts = IRESNET_BLOCKS[depth]
    for stage, (channels, count) in enumerate(zip(_CHANNELS, counts, strict=True), start=1):
        projects = first_shortcut or stage > 1
        x = _stage(x, round(channels * width), count, projects, f"stage{stage}", epsilon)
    x = layers.Flatten(name="flatten")(_normalised(x, "features", epsilon))
    x = layers.Dropout(dropout, name="dropout")(x) if dropout else x
    x = layers.Dense(embedding_size, name="embedding")(x)
    return keras.Model(chips, _normalised(x, "embedding", epsilon), name=f"iresnet{depth}")


def _stage(
    x: keras.KerasTensor, channels: int, count: int, projects: bool, name: str, epsilon: float
) -> keras.KerasTensor:
    """Add the blocks of a stage, of which the first halves the sides."""
    x = _block(x, channels, 2, projects, f"{name}_block0", epsilon)
    for number in range(1, count):
        x = _block(x, channels, 1, False, f"{name}_block{number}", epsilon)
    return x


def _block(
    x: keras.KerasTensor, channels: int, strides: int, projects: bool, name: str, epsilon: float
) -> keras.KerasTensor:
    """Add what two convolutions say to the input, which is projected where the size changes."""
    y = _normalised(x, f"{name}_input", epsilon)
    y = convolution_3x3(y, channels, use_bias=False, name=f"{name}_first")
    y = _normalised(y, f"{name}_first", epsilon)
    y = layers.PReLU(shared_axes=(1, 2), name=f"{name}_prelu")(y)
    y = convolution_3x3(y, channels, strides=strides, use_bias=False, name=f"{name}_second")
    y = _normalised(y, f"{name}_second", epsilon)
    if projects:
        x = layers.Conv2D(channels, 1, strides=strides, use_bias=False, name=f"{name}_shortcut")(x)
        x = _normalised(x, f"{name}_shortcut", epsilon)
    elif strides > 1:
        x = layers.MaxPooling2D(1, strides=strides, name=f"{name}_every_second")(x)
    return layers.Add(name=f"{name}_add")([x, y])


def _normalised(x: keras.KerasTensor, name: str, epsilon: float) -> keras.KerasTensor:
    return layers.BatchNormalization(epsilon=epsilon, momentum=0.9, name=f"{name}_norm")(x)
