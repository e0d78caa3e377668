"""Chips of faces in shards on disk: written once, read at random in bounded memory.

A data folder holds ``shard-NNNNN.chips`` (records one after the other), ``index.npz`` (where each
record lies, whose it is), ``people.txt`` and ``sources.txt`` (a line each), and ``data.json``,
which is written last and names the SHA-256 of all others. A chip is kept as PNG: nothing is lost by
keeping it, and augmentation alone decides what compression the network gets to see.

Only the index is held in memory, 24 bytes a record; chips are read from their place with one
``pread`` each, so memory does not grow with the number of pictures, and any order of reading, so
also going on in the middle, costs nothing.
"""

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.errors import TrainingError
from facerec.inference import Alignment

__all__ = ["ChipReader", "ChipWriter", "DataDescription"]

MAGIC = b"FRCHIPS1"
SHARD_BYTES = 64 * 1024 * 1024
"""Size at which a shard is closed: large enough for any disk to read in one go, small enough to
copy again when it was damaged."""
DATA_FILE = "data.json"
_HEAD = struct.Struct("<II")  # length and CRC-32 of the PNG that follows
_FORMAT = 1


@dataclass(frozen=True)
class DataDescription:
    """What a data folder says of itself.

    Attributes:
        detector: Detector that found the faces, with the start of its weights' hash.
        embedder: Embedding space of the embeddings that are kept for cleaning.
        alignment: How the chips are cut.
        terms: Under which terms the pictures may be used, in the words of who prepared them.
        origin: What the pictures are, in words.
        pictures: Number of chips.
        people: Number of people.
        files: SHA-256 by file name.
    """

    detector: str
    embedder: str
    alignment: Alignment
    terms: str
    origin: str
    pictures: int = 0
    people: int = 0
    files: tuple[tuple[str, str], ...] = ()

    @property
    def hash(self) -> str:
        """SHA-256 over the hashes of all files: it changes with any chip, label or name."""
        return hashlib.sha256(json.dumps(self.files).encode()).hexdigest()


class ChipWriter:
    """Writes a data folder.

    Args:
        folder: Empty folder.
        shard_bytes: Size at which a shard is closed.
    """

    def __init__(self, folder: Path, *, shard_bytes: int = SHARD_BYTES) -> None:
        self._folder = folder
        self._shard_bytes = shard_bytes
        self._open: BinaryIO | None = None
        self._shards = 0
        self._places: list[tuple[int, int, int]] = []
        self._people: list[int] = []
        self._sources: list[str] = []
        self._embeddings: list[NDArray[np.float32]] = []

    def __len__(self) -> int:
        return len(self._places)

    def add(
        self,
        chip_bgr: NDArray[np.uint8],
        person: int,
        source: str,
        embedding: NDArray[np.float32],
    ) -> None:
        """Append one chip.

        Args:
            chip_bgr: uint8 (s, s, 3).
            person: Number of the person, 0-based, of the list handed to `finish`.
            source: Where the picture came from.
            embedding: float32 (d,), unit length.
        """
        data = bytes(cv2.imencode(".png", chip_bgr, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1])
        shard = self._shard(len(data))
        self._places.append((self._shards - 1, shard.tell() + _HEAD.size, len(data)))
        shard.write(_HEAD.pack(len(data), zlib.crc32(data)))
        shard.write(data)
        self._people.append(person)
        self._sources.append(source)
        self._embeddings.append(embedding)

    @property
    def sources(self) -> tuple[str, ...]:
        """Source of each chip so far."""
        return tuple(self._sources)

    def set_people(self, people: Sequence[int]) -> None:
        """Say anew whose each chip is, where that is known only when all have been seen."""
        self._people = list(people)

    def finish(
        self, names: Sequence[str], kept: NDArray[np.bool_], description: DataDescription
    ) -> DataDescription:
        """Write the index and the description.

        Args:
            names: Name of each person number.
            kept: bool (n,) which of the chips belong to the data; the others stay unread.
            description: All but its counts and hashes.

        Returns:
            The description with counts and hashes.
        """
        if self._open is not None:
            self._open.close()
        rows = np.flatnonzero(kept)
        numbers, people = np.unique(np.array(self._people, np.int32)[rows], return_inverse=True)
        self._write_index(rows, people.astype(np.int32))
        _write_lines(self._folder / "people.txt", [names[number] for number in numbers])
        _write_lines(self._folder / "sources.txt", [self._sources[row] for row in rows])
        files = sorted(path.name for path in self._folder.iterdir())
        described = DataDescription(
            **{
                **vars(description),
                "pictures": len(rows),
                "people": len(numbers),
                "files": tuple((name, _sha256(self._folder / name)) for name in files),
            }
        )
        text = json.dumps({"format": _FORMAT, **asdict(described)}, indent=2, ensure_ascii=False)
        (self._folder / DATA_FILE).write_text(text + "\n", encoding="utf-8")
        return described

    def _write_index(self, rows: NDArray[np.intp], people: NDArray[np.int32]) -> None:
        places = np.array(self._places, np.int64).reshape(-1, 3)[rows]
        with (self._folder / "index.npz").open("wb") as opened:
            np.savez(
                opened,
                shard=places[:, 0].astype(np.int32),
                offset=places[:, 1],
                length=places[:, 2].astype(np.int32),
                person=people,
                embedding=np.stack([self._embeddings[row] for row in rows]),
            )

    def _shard(self, size: int) -> BinaryIO:
        if self._open is not None and self._open.tell() + size > self._shard_bytes:
            self._open.close()
            self._open = None
        if self._open is None:
            self._open = (self._folder / f"shard-{self._shards:05d}.chips").open("wb")
            self._open.write(MAGIC)
            self._shards += 1
        return self._open


class ChipReader:
    """A data folder, read at random; safe to read from several threads.

    Args:
        folder: Data folder.

    Raises:
        TrainingError: the folder is not one, or a file of it is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.description = _description(folder)
        try:
            with (folder / "index.npz").open("rb") as opened, np.load(opened) as index:
                self._shard, self._offset = index["shard"], index["offset"]
                self._length, self.people = index["length"], index["person"]
                self.embeddings: NDArray[np.float32] = index["embedding"]
            self.names = _read_lines(folder / "people.txt")
            self.sources = _read_lines(folder / "sources.txt")
        except (OSError, ValueError, KeyError) as error:
            raise TrainingError(_damaged(folder, "its index cannot be read")) from error
        self._files: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._shard)

    def chip(self, row: int) -> NDArray[np.uint8]:
        """Return one chip: uint8 (s, s, 3), BGR.

        Raises:
            TrainingError: its shard is gone, cut off or changed.
        """
        shard, length = int(self._shard[row]), int(self._length[row])
        name = f"shard-{shard:05d}.chips"
        try:
            data = os.pread(self._file(shard), _HEAD.size + length, self._offset[row] - _HEAD.size)
        except OSError as error:
            raise TrainingError(_damaged(self.folder, f"{name} cannot be read")) from error
        told, body = data[: _HEAD.size], data[_HEAD.size :]
        if len(body) != length or _HEAD.unpack(told) != (length, zlib.crc32(body)):
            raise TrainingError(_damaged(self.folder, f"{name} was cut off or changed"))
        return np.asarray(cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR), np.uint8)

    def chips(self, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Return some chips: uint8 (n, s, s, 3)."""
        side = self.description.alignment.chip_size_px
        chips = np.empty((len(rows), side, side, 3), np.uint8)
        for chip, row in zip(chips, rows, strict=True):
            chip[:] = self.chip(int(row))
        return chips

    def verify(self) -> None:
        """Hold every file against its hash.

        Raises:
            TrainingError: one is missing or changed; it is named.
        """
        for name, expected in self.description.files:
            path = self.folder / name
            if not path.is_file() or _sha256(path) != expected:
                raise TrainingError(_damaged(self.folder, f"{name} is missing or changed"))

    def close(self) -> None:
        """Close the shards; reading opens them again."""
        while self._files:
            os.close(self._files.popitem()[1])

    def _file(self, shard: int) -> int:
        if shard not in self._files:
            opened = os.open(self.folder / f"shard-{shard:05d}.chips", os.O_RDONLY)
            if self._files.setdefault(shard, opened) != opened:
                os.close(opened)  # another thread was faster
        return self._files[shard]


def _description(folder: Path) -> DataDescription:
    path = folder / DATA_FILE
    if not path.is_file():
        raise TrainingError(
            f"{folder} holds no prepared data; make it with: facerec train data PICTURES --output "
            f"{folder}"
        )
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if record.pop("format") != _FORMAT:
            raise ValueError("another format")
        marks = tuple(tuple(point) for point in record["alignment"]["landmarks_px"])
        record["alignment"] = Alignment(record["alignment"]["chip_size_px"], marks)
        record["files"] = tuple((name, value) for name, value in record["files"])
        return DataDescription(**record)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(_damaged(folder, f"{DATA_FILE} cannot be read")) from error


def _damaged(folder: Path, fault: str) -> str:
    return f"the data in {folder} is damaged: {fault}; prepare it again with: facerec train data"


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    """Write names of files and folders, which may be of any bytes, a line each."""
    text = "".join(" ".join(line.splitlines()) + "\n" for line in lines)
    path.write_bytes(text.encode(errors="surrogateescape"))


def _read_lines(path: Path) -> tuple[str, ...]:
    return tuple(path.read_bytes().decode(errors="surrogateescape").split("\n")[:-1])


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
