"""Networks against the counts of their papers, and their first weights."""

import keras
import numpy as np
import pytest

from facerec.errors import ModelError
from facerec.models.initialization import PRELU_SLOPE, initialise
from facerec.models.trainable import build_embedder, multiply_adds


def learned(network: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)


@pytest.mark.parametrize(
    ("name", "size", "millions", "mega_multiply_adds"),
    [
        # Chen and others 2018, table 1 and section 4: .99 million, 221 million.
        ("mobilefacenet", 128, 0.99, 221),
        # Deng and others 2019 and their code: 24.0, 43.6 and 65.2 million; 6.3 and 12.1 GFLOP.
        ("iresnet18", 512, 24.0, 2600),
        ("iresnet50", 512, 43.6, 6300),
        ("iresnet100", 512, 65.2, 12100),
        ("sface", 128, 9.64, 574),
    ],
)
def test_networks_have_their_papers_size(
    name: str, size: int, millions: float, mega_multiply_adds: float
) -> None:
    network = build_embedder(name, size, 112)
    assert learned(network) / 1e6 == pytest.approx(millions, rel=0.015)
    assert multiply_adds(network) / 1e6 == pytest.approx(mega_multiply_adds, rel=0.01)
    assert network.output.shape == (None, size)


def test_multiply_adds_by_hand() -> None:
    pixels = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, padding="same")(pixels)  # 64 places x 27 x 4
    x = keras.layers.DepthwiseConv2D(3, strides=2, padding="same")(x)  # 16 x 9 x 4
    network = keras.Model(pixels, keras.layers.Dense(5)(keras.layers.Flatten()(x)))  # 64 x 5
    assert multiply_adds(network) == 64 * 27 * 4 + 16 * 9 * 4 + 64 * 5


def test_first_weights_let_signals_through_and_depend_on_the_seed_alone() -> None:
    """He's rule: after many layers the signal is about as strong as at the first."""
    x = inputs = keras.Input((16, 16, 32))
    for _ in range(20):
        x = keras.layers.Conv2D(32, 3, padding="same", use_bias=False)(x)
        x = keras.layers.PReLU(shared_axes=(1, 2))(x)
    network = keras.Model(inputs, x)
    initialise(network, 4)
    kernels = [w.copy() for w in network.get_weights()]
    pixels = np.random.default_rng(0).standard_normal((4, 16, 16, 32)).astype(np.float32)
    out = np.asarray(network(pixels))[:, 6:10, 6:10]  # away from the padding
    assert 0.1 < np.square(out).mean() < 10  # Glorot's rule gives 1e-5 here
    initialise(network, 4)
    assert all(np.array_equal(a, b) for a, b in zip(kernels, network.get_weights(), strict=True))
    initialise(network, 5)
    assert not np.array_equal(kernels[0], network.get_weights()[0])
    assert network.layers[2].get_weights()[0].ravel()[0] == np.float32(PRELU_SLOPE)


def test_what_cannot_be_built_is_refused() -> None:
    with pytest.raises(ModelError, match="there are: mobilefacenet"):
        build_embedder("resnet50", 128, 112)
    with pytest.raises(ModelError, match="multiple of 16"):
        build_embedder("mobilefacenet", 128, 100)
