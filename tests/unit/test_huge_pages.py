import ctypes
import mmap
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facerec import huge_pages
from facerec.huge_pages import HUGE_PAGE_BYTES, use_huge_pages

BLOCKS = 12


class Memory:
    """Private memory of some blocks of 2 MB, as the C library maps it for a large array."""

    def __init__(self) -> None:
        size = (BLOCKS + 1) * HUGE_PAGE_BYTES
        self._mapped = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        every = np.frombuffer(self._mapped, np.uint8)
        skipped = -every.ctypes.data % HUGE_PAGE_BYTES
        self.blocks: NDArray[np.uint8] = every[skipped:][: BLOCKS * HUGE_PAGE_BYTES].reshape(
            BLOCKS, HUGE_PAGE_BYTES
        )

    def kilobytes(self, what: str) -> int:
        """What /proc/self/smaps says of the mapping, which may be one with its neighbours."""
        address, inside, found = self.blocks.ctypes.data, False, 0
        for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
            name = line.split()[0]
            if "-" in name and not name.endswith(":"):
                start, end = (int(part, 16) for part in name.split("-"))
                inside = start <= address < end
            elif inside and name == f"{what}:":
                found = int(line.split()[1])
        return found


@pytest.fixture
def memory() -> Memory:
    return Memory()


def test_what_is_in_memory_stays_the_same(memory: Memory) -> None:
    memory.blocks[:] = np.random.default_rng(0).integers(0, 256, memory.blocks.shape, np.uint8)
    before = memory.blocks.copy()
    use_huge_pages()
    np.testing.assert_array_equal(memory.blocks, before)


def test_what_is_wholly_in_memory_moves_where_the_system_moves_anything(memory: Memory) -> None:
    memory.blocks[:] = 1
    address = memory.blocks.ctypes.data
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    can = libc.madvise(address, HUGE_PAGE_BYTES, huge_pages._MADV_COLLAPSE) == 0
    moved = use_huge_pages()
    size = BLOCKS * HUGE_PAGE_BYTES
    assert (moved >= size) == can
    assert (memory.kilobytes("AnonHugePages") * 1024 >= size) == can
    assert moved == 0 or use_huge_pages(largest_bytes=size // 2) <= moved - size


def test_a_block_that_is_not_wholly_in_memory_is_not_brought_there(memory: Memory) -> None:
    memory.blocks[:, : HUGE_PAGE_BYTES // 2] = 1
    before = memory.kilobytes("Rss")
    use_huge_pages()
    assert memory.kilobytes("Rss") - before < HUGE_PAGE_BYTES // 1024
    memory.blocks[3] = 1
    use_huge_pages()
    assert memory.kilobytes("Rss") - before < HUGE_PAGE_BYTES // 1024 + HUGE_PAGE_BYTES // 1024


@pytest.mark.parametrize("missing", ["_MAPPINGS", "_SETTING"])
def test_a_system_without_them_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, memory: Memory, missing: str
) -> None:
    memory.blocks[:] = 1
    monkeypatch.setattr(huge_pages, missing, tmp_path / "none")
    assert use_huge_pages() == 0


def test_who_set_it_to_never_gets_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, memory: Memory
) -> None:
    memory.blocks[:] = 1
    (tmp_path / "enabled").write_text("always madvise [never]\n")
    monkeypatch.setattr(huge_pages, "_SETTING", tmp_path / "enabled")
    assert use_huge_pages() == 0
    assert memory.kilobytes("AnonHugePages") == 0


def test_only_writable_memory_that_belongs_to_no_file_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    maps = tmp_path / "maps"
    maps.write_text(
        "00400000-10400000 r-xp 00000000 fe:00 262 /usr/bin/python\n"
        "20000000-30000000 rw-p 00000000 fe:00 262 /usr/lib/lib name.so\n"
        "31000000-32000000 rw-p 00000000 00:00 0 [heap]\n"
        "40000000-50000000 rw-s 00000000 00:01 7 /dev/zero (deleted)\n"
        "60000000-70000000 rw-p 00000000 00:00 0 [stack]\n"
        "7f0000000000-7f0010000000 ---p 00000000 00:00 0 \n"
        "7f0020000000-7f0030000000 rw-p 00000000 00:00 0 \n"
    )
    monkeypatch.setattr(huge_pages, "_MAPPINGS", maps)
    assert list(huge_pages._private_mappings()) == [
        (0x31000000, 0x32000000),
        (0x7F0020000000, 0x7F0030000000),
    ]
