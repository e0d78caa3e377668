"""Event files that TensorBoard reads, without TensorFlow.

An event file is a run of TFRecords (length, masked CRC-32C of it, data, masked CRC-32C of that),
each a protocol buffer ``tensorflow.Event`` (tensorflow/core/util/event.proto): wall_time (1,
double), step (2, int64), file_version (3, string), summary (5) with values (1) of tag (1, string)
and simple_value (2, float).
"""

import struct
from collections.abc import Mapping
from pathlib import Path

from facerec.errors import TrainingError

__all__ = ["append_scalars"]

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, reflected: RFC 3720, appendix B.4
_MASK = 0xA282EAD8  # tensorflow/core/lib/hash/crc32c.h


def append_scalars(path: Path, values: Mapping[str, float], step: int, unix_s: float) -> None:
    """Append one event with some scalars; begin the file if there is none.

    Args:
        path: File named ``events.out.tfevents.*``.
        values: Scalars by tag.
        step: Step or epoch that they belong to.
        unix_s: Time of the event in seconds since 1970.

    Raises:
        TrainingError: it cannot be written.
    """
    summary = b"".join(
        _bytes(1, _bytes(1, tag.encode()) + b"\x15" + struct.pack("<f", value))
        for tag, value in values.items()
    )
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as opened:
            if not opened.tell():
                opened.write(_record(_event(unix_s, 0, _bytes(3, b"brain.Event:2"))))
            opened.write(_record(_event(unix_s, step, _bytes(5, summary))))
    except OSError as error:
        raise TrainingError(
            f"{path} cannot be written: {error.strerror or error}; make room and go on with: "
            "facerec train resume"
        ) from error


def _event(unix_s: float, step: int, rest: bytes) -> bytes:
    return b"\x09" + struct.pack("<d", unix_s) + b"\x10" + _varint(step) + rest


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    masked = ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF
    return struct.pack("<I", masked)
