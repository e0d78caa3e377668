"""The port through which an exported network is run."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["InferenceSession"]


class InferenceSession(Protocol):
    """A loaded network: one image batch in, one float32 tensor out.

    Implementations are safe to call from several threads and keep nothing of a call's data.
    """

    def run(self, batch: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network once.

        Args:
            batch: (n, height, width, 3) of the dtype that the network takes (``uint8`` for every
                network of the catalogue, whose own first layers convert it). Any ``n >= 1``;
                height and width as the network allows.

        Returns:
            The network's only output, float32, first axis ``n``; a fresh array.

        Raises:
            ArrayError: the batch has another rank, dtype or size than the network takes.
        """
        ...
