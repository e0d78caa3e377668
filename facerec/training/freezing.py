"""Which layers of a network that is adapted may change."""

import keras

from facerec.errors import TrainingError

__all__ = ["freeze_all_but"]


def freeze_all_but(network: keras.Model, depth: int) -> None:
    """Freeze a network except for its last layers.

    Normalisations keep their statistics and factors in any case: those of a few people's pictures
    are no match for those of the millions that the network was trained on.

    Args:
        network: Of layers one after the other, as they were built.
        depth: Convolutions and dense layers, counted from the end, that may change; 0 for all.

    Raises:
        TrainingError: there are not so many.
    """
    with_kernels = [layer for layer in network.layers if hasattr(layer, "kernel")]
    if not 0 <= depth <= len(with_kernels):
        raise TrainingError(
            f"depth must lie in 0..{len(with_kernels)}, the layers of the network; received {depth}"
        )
    first = with_kernels[-depth if depth else 0]
    learns = False
    for layer in network.layers:
        learns = learns or layer is first
        layer.trainable = learns and not isinstance(layer, keras.layers.BatchNormalization)
