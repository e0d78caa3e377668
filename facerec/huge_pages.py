"""Having large blocks of this process's memory in pages of 2 MB in place of 4 KB.

A network's weights and a gallery's codes are read from one end to the other again and again. In
small pages the processor translates an address every 4 KB, and reads ahead no further than that.
Linux gives large pages to who asks (transparent huge pages in their usual setting, ``madvise``);
the libraries that own this memory do not ask.
"""

import ctypes
import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np

__all__ = ["HUGE_PAGE_BYTES", "use_huge_pages"]

HUGE_PAGE_BYTES = 2 * 2**20
"""Of x86-64, and of ARM with the usual pages of 4 KB."""

# From linux/mman.h; see madvise(2). Since Linux 6.1.
_MADV_COLLAPSE = 25

_MAPPINGS = Path("/proc/self/maps")
_SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def use_huge_pages(largest_bytes: int | None = None) -> int:
    """Move what lies in memory without a hole of 2 MB and more into huge pages.

    What is not in memory is not brought there. Each block is copied once: 20 ms for the default
    networks, a second for 3 GB; blocks that are huge already take no time to speak of.

    Args:
        largest_bytes: Mappings of more bytes than this are left alone; None for none.

    Returns:
        Bytes that lie in huge pages now, of those looked at; 0 where the system cannot (no Linux,
        or one before 6.1) or its setting is ``never`` (to which the system call pays no heed).
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mincore") or not hasattr(libc, "madvise"):
        return 0
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    libc.mincore.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
    moved = 0
    try:
        if "[never]" in _SETTING.read_text(encoding="utf-8"):
            return 0
        mappings = list(_private_mappings())
    except OSError:  # there are no such files, or none may be opened now
        return 0
    for start, end in mappings:
        if largest_bytes is None or end - start <= largest_bytes:
            for address, size in _without_holes(libc, start, end):
                moved += size if libc.madvise(address, size, _MADV_COLLAPSE) == 0 else 0
    return moved


def _private_mappings() -> Iterator[tuple[int, int]]:
    """Yield where writable memory that belongs to no file begins and ends."""
    for line in _MAPPINGS.read_text(encoding="utf-8", errors="replace").splitlines():
        addresses, rights, _, _, inode, *name = line.split(maxsplit=5)
        if rights == "rw-p" and inode == "0" and (not name or name[0].startswith("[heap")):
            start, end = (int(address, 16) for address in addresses.split("-"))
            yield start, end


def _without_holes(libc: ctypes.CDLL, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield address and size of those runs of aligned blocks of 2 MB that are wholly in memory."""
    first = -(-start // HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES
    blocks = (end - first) // HUGE_PAGE_BYTES
    if blocks < 1:
        return
    resident = np.zeros((blocks, HUGE_PAGE_BYTES // mmap.PAGESIZE), np.uint8)
    if libc.mincore(first, blocks * HUGE_PAGE_BYTES, resident.ctypes.data) != 0:
        return  # it was unmapped meanwhile
    whole = np.all(resident & 1, axis=1)
    edges = np.flatnonzero(np.diff(whole, prepend=False, append=False)).tolist()
    for begins, ends in zip(edges[::2], edges[1::2], strict=True):
        yield first + begins * HUGE_PAGE_BYTES, (ends - begins) * HUGE_PAGE_BYTES
