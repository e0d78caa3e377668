"""The architectures themselves, without weights: sizes, padding, what they can be built for."""

import keras
import numpy as np
import pytest

from facerec.models.blocks import convolution_3x3, depthwise_3x3, upsample_nearest
from facerec.models.centerface import build_centerface, centerface_backbone
from facerec.models.dlib_resnet import build_dlib_resnet, dlib_resnet_backbone
from facerec.models.sface import build_sface, sface_backbone
from facerec.models.yunet import build_yunet, yunet_backbone

# Counted by hand from the published graphs' weights (batch normalisations folded where the
# published file has them folded).
PARAMETERS = [
    (build_yunet, 53_104),
    (build_centerface, 1_820_143),
    (build_sface, 9_667_072),
    (build_dlib_resnet, 5_607_488),
]


@pytest.mark.parametrize(("build", "parameters"), PARAMETERS)
def test_parameters_are_those_of_the_published_network(build, parameters: int) -> None:
    network = build()
    assert network.count_params() == parameters
    assert f"{parameters:,}" in build.__doc__


@pytest.mark.parametrize(("build", "parameters"), PARAMETERS)
def test_networks_take_pixels_and_have_one_output(build, parameters: int) -> None:
    network = build()
    assert [tensor.dtype for tensor in network.inputs] == ["uint8"]
    assert len(network.outputs) == 1


@pytest.mark.parametrize(
    ("build", "height", "width", "expected"),
    [
        (build_yunet, 96, 160, (1, 12 * 20 + 6 * 10 + 3 * 5, 16)),
        (build_yunet, 32, 32, (1, 16 + 4 + 1, 16)),
        (build_centerface, 96, 160, (1, 24, 40, 15)),
        (build_sface, 112, 112, (1, 128)),
        (build_dlib_resnet, 150, 150, (1, 128)),
    ],
)
def test_outputs_have_the_documented_shape(build, height, width, expected) -> None:
    assert build()(np.zeros((1, height, width, 3), np.uint8)).shape == expected


@pytest.mark.parametrize(
    ("backbone", "side", "channels"),
    [
        (yunet_backbone, None, [64, 64, 64]),
        (centerface_backbone, None, [24, 32, 96, 320]),
        (sface_backbone, 112, [1024]),
        (dlib_resnet_backbone, 150, [256]),
    ],
)
def test_backbones_stand_without_preprocessing_and_can_be_trained(backbone, side, channels) -> None:
    values = keras.Input((side, side, 3))
    network = keras.Model(values, backbone(values))
    assert [tensor.shape[-1] for tensor in network.outputs] == channels
    assert network.trainable_weights


def test_upsampling_repeats_each_pixel() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype(np.float32)
    expected = x.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(np.asarray(upsample_nearest(x)), expected)


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("block", [convolution_3x3, depthwise_3x3])
def test_convolutions_pad_as_where_the_weights_come_from(block, strides: int) -> None:
    """One pixel of zeros all round, by the definition of a convolution written out."""
    inputs = keras.Input((6, 8, 3))
    filters = {} if block is depthwise_3x3 else {"filters": 2}
    network = keras.Model(inputs, block(inputs, strides=strides, name="layer", **filters))
    x = np.random.default_rng(0).normal(size=(1, 6, 8, 3)).astype(np.float32)
    kernel = network.get_layer("layer").get_weights()[0]
    padded = np.pad(x[0], ((1, 1), (1, 1), (0, 0)))
    received = np.asarray(network(x))[0]
    for row in range(6 // strides):
        for column in range(8 // strides):
            top, left = row * strides, column * strides
            window = padded[top : top + 3, left : left + 3]
            if block is depthwise_3x3:
                expected = (window * kernel[..., 0]).sum(axis=(0, 1))
            else:
                expected = np.tensordot(window, kernel, axes=3)
            np.testing.assert_allclose(received[row, column], expected, atol=1e-5)
