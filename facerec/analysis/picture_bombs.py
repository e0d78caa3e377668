"""What decoders would do for a picture beyond what its size tells, read from its headers.

A progressive JPEG may go over all its pixels any number of times, for 30 bytes each (libjpeg-turbo
report LJT-01-005 describes it); a TIFF's tiles may be larger than the picture. Neither shows in
width and height, and nothing stops a decoder that has begun.
"""

import re
import struct

__all__ = ["MOST_SCANS", "jpeg_has_too_many_scans", "largest_tiff_tile"]

MOST_SCANS = 64
"""Of a JPEG. libjpeg's own progression has 10 scans, and encoders that search for the best one
write fewer than 30."""

_START_OF_SCAN, _END = 0xDA, 0xD9
_BARE = frozenset({0x01, 0xD8})
"""Markers without a length. Restarts (0xD0 to 0xD7) are of none either; they belong to scans."""

_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
"""Where anything but a scan's own bytes goes on; ITU-T T.81, B.1.1."""

_TILE_SIDES = (322, 323)
"""TileWidth and TileLength; TIFF 6.0, section 15."""


def jpeg_has_too_many_scans(data: bytes) -> bool:
    """Return whether a JPEG has more scans than `MOST_SCANS`; False for what is none."""
    # Bytes that look like a scan's beginning may lie in metadata too, or behind the picture.
    if data.count(b"\xff\xda") <= MOST_SCANS:
        return False
    scans, place = 0, 0
    while (found := _MARKER.search(data, place)) is not None:
        marker, place = found.group(1)[0], found.end()
        if marker == _END or scans > MOST_SCANS:
            break
        scans += marker == _START_OF_SCAN
        if marker not in _BARE:
            place += int.from_bytes(data[place : place + 2], "big")
    return scans > MOST_SCANS


def largest_tiff_tile(data: bytes) -> int:
    """Return the pixels of the largest tile that a TIFF's first page may mean; 0 without tiles.

    Where a tag is there twice the larger value counts: readers differ in which they take.

    Raises:
        ValueError: it is no TIFF, or cut off in its directory; or a BigTIFF, whose directories
            Pillow and libtiff may find at different places.
    """
    order = _ORDERS.get(data[:4])
    if order is None:
        raise ValueError("it does not begin as a TIFF")
    sides = dict.fromkeys(_TILE_SIDES, 0)
    try:
        (place,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, place)
        for entry in range(place + 2, place + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", data, entry)
            if tag in sides:
                form = _INTEGERS.get(kind, "I")
                sides[tag] = max(sides[tag], *struct.unpack_from(order + form, data, entry + 8))
    except struct.error as error:
        raise ValueError("its directory is cut off") from error
    width, length = sides.values()
    return width * length


_ORDERS = {b"II\x2a\0": "<", b"MM\0\x2a": ">"}
"""How a TIFF begins, and the order of bytes that it announces, as `struct` names it."""

_INTEGERS = {1: "B", 6: "B", 3: "H", 8: "H"}
"""Forms of short values of a tag, with and without a sign; all others take 4 bytes."""
