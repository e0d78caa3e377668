"""dlib's serialised networks, from bytes put together by hand."""

import struct

import numpy as np
import pytest

from facerec.errors import ModelImportError
from facerec.models.conversion.dlib_dat import read_layers


def integer(value: int) -> bytes:
    """dlib's variable-length integer: control byte (length; high bit: negative), magnitude."""
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def tensor(values: list[float], *, version: int = 2) -> bytes:
    dimensions = b"".join(integer(d) for d in (len(values), 1, 1, 1))
    return integer(version) + dimensions + struct.pack(f"<{len(values)}f", *values)


def tagged(tag: str, body: bytes) -> bytes:
    return integer(len(tag)) + tag.encode() + body


HEAD = b"\x01\x01\x01\rloss_metric_2\x03\n\xd7\xa3\x81"
RELU = tagged("relu_", integer(0))


def test_layers_come_in_file_order_with_their_values() -> None:
    many = list(np.linspace(-1, 1, 300))  # a dimension of two bytes
    data = (
        HEAD
        + tagged("con_4", tensor(many))
        + tagged("affine_", tensor([1.0, 2.0]))
        + RELU
        + tagged("fc_2", integer(128) + integer(256) + tensor([3.0, 4.0, 5.0]))
        + integer(-7)
    )
    layers = read_layers(data)
    assert [layer.kind for layer in layers] == ["convolution", "affine", "dense"]
    np.testing.assert_array_equal(layers[0].parameters, np.array(many, np.float32))
    np.testing.assert_array_equal(layers[1].parameters, [1.0, 2.0])
    np.testing.assert_array_equal(layers[2].parameters, [3.0, 4.0, 5.0])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD + RELU,
        HEAD + tagged("con_4", tensor([1.0, 2.0]))[:-1],
        HEAD + tagged("con_4", b""),
        HEAD + tagged("con_4", tensor([1.0], version=1)),
        HEAD + tagged("con_4", integer(2) + integer(-3) + integer(1) * 3),
    ],
    ids=["empty", "no weights", "cut in a tensor", "cut before it", "old version", "negative"],
)
def test_what_is_no_such_network_is_refused(data: bytes) -> None:
    with pytest.raises(ModelImportError):
        read_layers(data)
