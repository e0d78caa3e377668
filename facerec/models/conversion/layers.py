"""Handing converted weights to the layers of a Keras network, by layer name."""

import keras
import numpy as np
from numpy.typing import NDArray

from facerec.errors import ModelImportError
from facerec.models.conversion.onnx_graph import Convolution, Normalization

__all__ = ["LayerWeights"]


class LayerWeights:
    """Fills a network layer by layer and notices what is left over.

    Args:
        network: The Keras network whose weights are to be set.
    """

    def __init__(self, network: keras.Model) -> None:
        self._network = network
        self._unset = {layer.name for layer in network.layers if layer.weights}

    def set(self, layer_name: str, *arrays: NDArray[np.float32]) -> None:
        """Set all weights of a layer, in Keras' order and layout.

        Raises:
            ModelImportError: their shapes are not those of the layer.
        """
        layer = self._network.get_layer(layer_name)
        expected = [tuple(w.shape) for w in layer.weights]
        received = [a.shape for a in arrays]
        if expected != received:
            raise ModelImportError(
                f"layer {layer_name} of {self._network.name} takes weights of shapes {expected}; "
                f"the file has {received}: it is of another architecture"
            )
        layer.set_weights(arrays)
        self._unset.discard(layer_name)

    def set_convolution(self, layer_name: str, source: Convolution) -> None:
        """Set a (depthwise) convolution from ONNX's layout, channels first."""
        # (out, in, h, w) -> (h, w, in, out); depthwise (channels, 1, h, w) -> (h, w, channels, 1).
        order = (2, 3, 0, 1) if source.groups > 1 else (2, 3, 1, 0)
        kernel = source.kernel.transpose(order)
        self.set(layer_name, kernel, *(() if source.bias is None else (source.bias,)))

    def set_normalization(self, layer_name: str, source: Normalization) -> None:
        """Set a batch normalisation; its epsilon must be the layer's own."""
        epsilon = self._network.get_layer(layer_name).epsilon
        if not np.isclose(epsilon, source.epsilon, rtol=1e-4):
            raise ModelImportError(
                f"layer {layer_name} normalises with epsilon {epsilon}; the file has "
                f"{source.epsilon}"
            )
        self.set(layer_name, source.gamma, source.beta, source.mean, source.variance)

    def finish(self) -> None:
        """Make sure that no layer kept its random first weights.

        Raises:
            ModelImportError: some did.
        """
        if self._unset:
            raise ModelImportError(
                f"the file has no weights for layers {', '.join(sorted(self._unset))} of "
                f"{self._network.name}: it is of another architecture"
            )


def matched(
    names: list[str], found: list[Convolution], architecture: str
) -> list[tuple[str, Convolution]]:
    """Pair layer names with the graph's convolutions in order.

    Raises:
        ModelImportError: there are more or fewer convolutions than names.
    """
    if len(names) != len(found):
        raise ModelImportError(
            f"{architecture} has {len(names)} convolutions; the file has {len(found)}: it is of "
            "another architecture"
        )
    return list(zip(names, found, strict=True))
