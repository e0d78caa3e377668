"""Reading the weights out of a network that dlib serialised.

A ``.dat`` file is a flat run of layers in input-to-output order, each a tag and its fields, as
dlib 19's ``serialize()`` functions write them (``dlib/dnn/layers.h``, ``dlib/dnn/tensor.h``,
``dlib/serialize.h``; Boost Software Licence). Only what is needed is read: the parameters of
convolutions, affine layers and dense layers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ModelImportError

__all__ = ["DlibLayer", "read_layers"]

_TAGS = {b"\x05con_4": "convolution", b"\x07affine_": "affine", b"\x04fc_2": "dense"}
_TENSOR_VERSION = 2


@dataclass(frozen=True, eq=False)
class DlibLayer:
    """The parameters of one layer.

    Attributes:
        kind: ``"convolution"``, ``"affine"`` or ``"dense"``.
        parameters: float32, flat: filters (out, in, h, w) then biases; scales then shifts; or the
            matrix (in, out).
    """

    kind: str
    parameters: NDArray[np.float32]


def read_layers(data: bytes) -> list[DlibLayer]:
    """Return the layers that have parameters, from input to output.

    Raises:
        ModelImportError: the bytes are not a network as dlib writes it.
    """
    layers = list(_layers(data))
    if not layers:
        raise ModelImportError("the file is not a network serialised by dlib")
    return layers


def _layers(data: bytes) -> Iterator[DlibLayer]:
    position = 0
    while True:
        found = [(data.find(tag, position), tag) for tag in _TAGS]
        present = [(start, tag) for start, tag in found if start >= 0]
        if not present:
            return
        start, tag = min(present)
        position = start + len(tag)
        if _TAGS[tag] == "dense":  # its outputs and inputs stand before the tensor
            _, position = _integer(data, position)
            _, position = _integer(data, position)
        parameters, position = _tensor(data, position)
        yield DlibLayer(_TAGS[tag], parameters)


def _tensor(data: bytes, position: int) -> tuple[NDArray[np.float32], int]:
    """Read a tensor; return its values, flat, and the position behind it."""
    version, position = _integer(data, position)
    count = 1
    for _ in range(4):
        dimension, position = _integer(data, position)
        count *= dimension
    end = position + 4 * count
    if version != _TENSOR_VERSION or count < 0 or end > len(data):
        raise ModelImportError("the file is not a network as dlib 19 writes it, or is cut short")
    return np.frombuffer(data, "<f4", count, position).astype(np.float32), end


def _integer(data: bytes, position: int) -> tuple[int, int]:
    """Read an integer: a byte with its length (low nibble) and sign (high bit), then its bytes."""
    if position >= len(data):
        raise ModelImportError("the file is cut short")
    control = data[position]
    end = position + 1 + (control & 0x0F)
    value = int.from_bytes(data[position + 1 : end], "little")
    return (-value if control & 0x80 else value), end
