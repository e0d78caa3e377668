"""The file that spares a new process reading and opening every template of the database.

It holds what an index of one revision needs, sealed in blocks with a key of its own. That key
stands in the database, wrapped by the master key: to delete it there is to erase the file. A block
opens only at its place in its snapshot, so one that is changed, cut off, swapped or of an older
snapshot is noticed; the index is then built from the database, which alone is the truth.

The file is a run of sealed blocks, each after its length (8 bytes, little-endian): first a JSON
object that names the arrays that follow, then their bytes, an array in blocks of 16 MiB.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from facerec.errors import RecordDamagedError
from facerec.gallery.encryption.vault import OVERHEAD_BYTES, open_sealed, seal
from facerec.gallery.index.list_plan import ListPlan
from facerec.gallery.index.rows import Changes, IndexedRows

__all__ = ["SnapshotKey", "read_snapshot", "write_snapshot"]

_BLOCK_BYTES = 16 * 1024 * 1024
_LENGTH_BYTES = 8
_FORMAT = 3

_Array = NDArray[Any]


@dataclass(frozen=True)
class SnapshotKey:
    """What seals one snapshot.

    Attributes:
        home_id: The home that it is of.
        snapshot_id: Random id; no other file opens in its place.
        key: 32 bytes.
    """

    home_id: str
    snapshot_id: str
    key: bytes = field(repr=False)

    def seal(self, number: int, plain: bytes) -> bytes:
        """Seal the block of a number."""
        return seal(self.key, plain, "index snapshot", self.home_id, self.snapshot_id, str(number))

    def open(self, number: int, sealed: bytes) -> bytes:
        """Open the block of a number.

        Raises:
            RecordDamagedError: it is another block, or was changed.
        """
        return open_sealed(
            self.key, sealed, "index snapshot", self.home_id, self.snapshot_id, str(number)
        )


def write_snapshot(path: Path, key: SnapshotKey, state: Changes) -> Path:
    """Write a snapshot beside `path`, whole and onto the disk.

    Returns:
        The file (0600), which the caller renames to `path` or deletes.

    Raises:
        OSError: it cannot be written.
    """
    arrays = dict(_arrays_of(state))
    header = {
        "format": _FORMAT,
        "revision": state.revision,
        "instant": state.instant,
        "until": state.until,
        "plans": [
            [
                *(*key, plan.count, plan.read, plan.depth),
                *(plan.recall, plan.recall_of_strangers, plan.probes),
            ]
            for key, plan in state.plans.items()
        ],
        "arrays": [[name, array.dtype.str, array.shape] for name, array in arrays.items()],
    }
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.new-")
    try:
        with open(descriptor, "wb") as file:
            for number, block in enumerate(_blocks(header, arrays)):
                sealed = key.seal(number, block)
                file.write(len(sealed).to_bytes(_LENGTH_BYTES, "little"))
                file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def read_snapshot(path: Path, key: SnapshotKey) -> Changes:
    """Read a snapshot.

    Raises:
        RecordDamagedError: it is another one, or was changed or cut off.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        blocks = _Blocks(file, key)
        try:
            header = json.loads(blocks.next())
            if header["format"] != _FORMAT:
                raise RecordDamagedError("the index snapshot has another format")
            arrays = {name: blocks.array(dtype, shape) for name, dtype, shape in header["arrays"]}
            if file.read(1):
                raise RecordDamagedError("the index snapshot is longer than it should be")
            return _state_of(header, arrays)
        except (KeyError, TypeError, ValueError) as error:
            raise RecordDamagedError("the index snapshot holds something else") from error


class _Blocks:
    """Reads sealed blocks one after the other."""

    def __init__(self, file: BinaryIO, key: SnapshotKey) -> None:
        self._file = file
        self._key = key
        self._number = 0

    def next(self) -> bytes:
        size = int.from_bytes(self._file.read(_LENGTH_BYTES), "little")
        if size > _BLOCK_BYTES + OVERHEAD_BYTES:
            raise RecordDamagedError("the index snapshot has a wrong length")
        plain = self._key.open(self._number, self._file.read(size))
        self._number += 1
        return plain

    def array(self, dtype: str, shape: list[int]) -> _Array:
        array = np.empty(tuple(shape), np.dtype(dtype))
        target = array.reshape(-1).view(np.uint8)
        filled = 0
        while filled < target.size:
            block = self.next()
            target[filled : filled + len(block)] = np.frombuffer(block, np.uint8)
            filled += len(block)
        return array


def _blocks(header: Mapping[str, object], arrays: Mapping[str, _Array]) -> Iterator[bytes]:
    yield json.dumps(header).encode()
    for array in arrays.values():
        flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        for start in range(0, flat.size, _BLOCK_BYTES):
            yield flat[start : start + _BLOCK_BYTES].tobytes()


def _arrays_of(state: Changes) -> Iterator[tuple[str, _Array]]:
    for space, rows in state.rows.items():
        yield f"embeddings/{space}", rows.embeddings
        yield f"people/{space}", rows.people
        yield f"ids/{space}", rows.profile_ids
    for gallery, people in state.members.items():
        yield f"members/{gallery}", people
    for number, plan in enumerate(state.plans.values()):
        yield f"turn/{number}", plan.turn
        yield f"centres/{number}", plan.centres
        yield f"levels/{number}", plan.levels


def _state_of(header: Mapping[str, Any], arrays: Mapping[str, _Array]) -> Changes:
    spaces = [name.partition("/")[2] for name in arrays if name.startswith("embeddings/")]
    return Changes(
        revision=header["revision"],
        instant=header["instant"],
        until=header["until"],
        people=np.zeros(0, np.int64),
        rows={
            space: IndexedRows(
                arrays[f"embeddings/{space}"], arrays[f"people/{space}"], arrays[f"ids/{space}"]
            )
            for space in spaces
        },
        members={
            name.partition("/")[2]: array
            for name, array in arrays.items()
            if name.startswith("members/")
        },
        plans={
            (gallery, space): ListPlan(
                count,
                arrays[f"turn/{number}"],
                arrays[f"centres/{number}"],
                arrays[f"levels/{number}"],
                *measured,
            )
            for number, (gallery, space, count, *measured) in enumerate(header["plans"])
        },
    )
