"""Keeping a long-running server's memory flat, and its pauses short."""

import asyncio
import ctypes
import gc

__all__ = ["give_back_freed_memory", "keep_giving_back", "set_aside_what_is_loaded"]

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

_TRIM_EVERY_S = 1.0
"""How long such holes are kept at most. Each look for them takes 1 to 4 ms of a core."""


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
    four pictures of 0.3 to 2 megapixels sent in turn the server grew to 550 MB. What holes remain
    with this is for `keep_giving_back`.

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


async def keep_giving_back() -> None:
    """Return the whole pages among freed blocks to the system once a second, until cancelled.

    Measured with twelve pictures of 0.3 to 2 megapixels, four at a time, three rounds: 263 MB
    resident when ready, 330 MB a second after them in place of 364 to 384, and 455 to 482 MB for a
    moment while they are analysed; with frames of 640x480 316 MB, and 346 for a moment. Without
    this, 350 to 369 MB stayed when blocks were kept up to 2 MB in two arenas, 341 to 355 up to
    1 MB, 356 to 372 up to 4 MB in one arena, and 335 to 343 up to 1 MB in one.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while trim is not None:
        await asyncio.sleep(_TRIM_EVERY_S)
        await asyncio.to_thread(trim, 0)
