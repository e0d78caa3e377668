"""The record file: what is written is read, in any order, in bounded memory; damage is named."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from facerec.errors import TrainingError
from facerec.inference import Alignment
from facerec.training.record_file import ChipReader, ChipWriter, DataDescription

SIDE = 24
MARKS = ((8.0, 10.0), (16.0, 10.0), (12.0, 14.0), (9.0, 18.0), (15.0, 18.0))
DESCRIPTION = DataDescription("yunet 1", "sface-1", Alignment(SIDE, MARKS), "mine", "made up")


def write(folder: Path, count: int = 40, *, shard_bytes: int = 20_000) -> np.ndarray:
    random = np.random.default_rng(1)
    chips = random.integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
    folder.mkdir()
    writer = ChipWriter(folder, shard_bytes=shard_bytes)
    for row, chip in enumerate(chips):
        writer.add(chip, row // 4, f"person/{row}.jpg", np.eye(8, dtype=np.float32)[row % 8])
    kept = np.arange(count) % 4 != 3
    writer.finish([f"n{n}" for n in range(count // 4)], kept, DESCRIPTION)
    return chips[kept]


def test_what_is_written_is_read_from_several_shards_in_any_order(tmp_path: Path) -> None:
    chips = write(tmp_path / "data")
    assert len(list((tmp_path / "data").glob("shard-*"))) > 2
    reader = ChipReader(tmp_path / "data")
    reader.verify()
    assert len(reader) == 30 == reader.description.pictures
    assert reader.description.people == 10 == len(reader.names)
    for row in np.random.default_rng(2).permutation(30):
        assert np.array_equal(reader.chip(int(row)), chips[row])
    assert reader.sources[3] == "person/4.jpg"
    assert list(reader.people[:4]) == [0, 0, 0, 1]
    assert reader.description.alignment == DESCRIPTION.alignment
    reader.close()
    assert np.array_equal(reader.chips(np.array([5, 2]))[1], chips[2])


def test_reading_takes_no_more_memory_the_more_is_read(tmp_path: Path) -> None:
    write(tmp_path / "data", 400, shard_bytes=1 << 20)
    reader = ChipReader(tmp_path / "data")
    assert sum(p.stat().st_size for p in (tmp_path / "data").glob("shard-*")) > 600_000
    reader.chip(0)
    tracemalloc.start()
    for step in range(1500):
        reader.chip(step % len(reader))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


def test_the_hash_changes_with_a_label(tmp_path: Path) -> None:
    write(tmp_path / "a")
    write(tmp_path / "b")
    first, second = ChipReader(tmp_path / "a"), ChipReader(tmp_path / "b")
    assert first.description.hash == second.description.hash
    (tmp_path / "c").mkdir()
    writer = ChipWriter(tmp_path / "c", shard_bytes=20_000)
    for row in range(len(first)):
        person = 0 if row < 4 else int(first.people[row])
        writer.add(first.chip(row), person, first.sources[row], first.embeddings[row])
    third = writer.finish(first.names, np.ones(len(first), bool), DESCRIPTION)
    assert third.hash != first.description.hash


@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_a_damaged_shard_is_named(tmp_path: Path, harm: str) -> None:
    write(tmp_path / "data")
    shard = tmp_path / "data" / "shard-00001.chips"
    content = bytearray(shard.read_bytes())
    if harm == "remove":
        shard.unlink()
    elif harm == "cut":
        shard.write_bytes(content[:100])
    else:
        content[200] ^= 1
        shard.write_bytes(content)
    reader = ChipReader(tmp_path / "data")
    with pytest.raises(TrainingError, match="shard-00001"):
        for row in range(len(reader)):
            reader.chip(row)
    with pytest.raises(TrainingError, match=r"shard-00001.* is missing or changed"):
        reader.verify()


def test_a_folder_without_data_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="facerec train data"):
        ChipReader(tmp_path)
    write(tmp_path / "data")
    (tmp_path / "data" / "data.json").write_text("{}")
    with pytest.raises(TrainingError, match=r"data.json cannot be read"):
        ChipReader(tmp_path / "data")


def test_names_of_any_bytes_are_kept_a_line_each(tmp_path: Path) -> None:
    """Folders unpacked from old archives are not always named in UTF-8; some names hold breaks."""
    odd = ("M\udcfcller", "line\nbreak", "re\rturn", "Müller")
    (tmp_path / "data").mkdir()
    writer = ChipWriter(tmp_path / "data")
    for person, name in enumerate(odd):
        chip = np.full((SIDE, SIDE, 3), person, np.uint8)
        writer.add(chip, person, f"{name}/1.jpg", np.ones(8, np.float32))
    writer.finish(odd, np.ones(4, bool), DESCRIPTION)
    reader = ChipReader(tmp_path / "data")
    assert reader.names == ("M\udcfcller", "line break", "re turn", "Müller")
    assert reader.sources[0] == "M\udcfcller/1.jpg" and len(reader.sources) == 4
