"""Keeping a long-running server's memory flat, and its pauses short."""

import ctypes
import gc

__all__ = ["give_back_freed_memory", "set_aside_what_is_loaded"]

# From glibc's malloc.h; see mallopt(3).
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

_LARGE_BYTES = 4 * 1024 * 1024
"""glibc begins at 128 KB and raises it by itself to 32 MB as larger ones are freed. What a 640x480
frame takes on its way is smaller than this: to map and clear such blocks anew for each call cost a
busy server 1 to 2 ms of each, a fifteenth of what it could do."""

_ARENAS = 2
"""With one, the threads of analysis wait for each other; each further one may keep holes."""


def set_aside_what_is_loaded() -> None:
    """Have the garbage collector not look again at what lives as long as the process.

    Call it once all is loaded. Networks, modules and the gallery are some hundred thousand objects;
    going through them stops all threads for tens of milliseconds, in the midst of calls.
    """
    gc.collect()
    gc.freeze()


def give_back_freed_memory() -> bool:
    """Make glibc return large freed blocks to the system at once; call it before any thread starts.

    Pictures of many sizes, decoded on many threads, otherwise leave holes that glibc keeps: with
    four pictures of 0.3 to 2 megapixels sent in turn the server grew to 550 MB. With this it stays
    at 370 MB when twelve of up to 2 megapixels come at once, and at 307 MB with frames of 640x480.

    Returns:
        Whether it took effect; False with another C library than glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = {
        _M_ARENA_MAX: _ARENAS,
        _M_MMAP_THRESHOLD: _LARGE_BYTES,
        _M_TRIM_THRESHOLD: _LARGE_BYTES,
    }
    return all(mallopt(parameter, value) == 1 for parameter, value in wanted.items())
