"""Folders that hold a copy of a gallery for as long as one process works on it.

Such a copy holds what is sealed of everybody, and the keys to it. A process that is killed leaves
it behind, where whoever is erased afterwards would still be in it. So each folder is locked by the
process that works in it, a lock that ends with that process whatever becomes of it; and those that
nobody holds are deleted when the next one is made there, and whenever somebody is erased.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["scratch_folder", "sweep"]

_PREFIX = ".facerec-copy-"


@contextmanager
def scratch_folder(beside: Path) -> Iterator[Path]:
    """Make a folder (0700) in another one; it is deleted when the block ends.

    Raises:
        OSError: it cannot be made.
    """
    with _locked(beside):
        _delete_left_behind(beside)
        folder = tempfile.TemporaryDirectory(dir=beside, prefix=_PREFIX)
        held = _lock(Path(folder.name))
    try:
        with folder as name:
            yield Path(name)
    finally:
        os.close(held)


def sweep(beside: Path) -> None:
    """Delete such folders whose processes were killed, as far as they can be deleted."""
    try:
        with _locked(beside):
            _delete_left_behind(beside)
    except OSError:  # not even read, or on a file system without locks: none was made here
        return


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder, so that none is deleted that was made and is not held yet."""
    held = _lock(folder)
    try:
        yield
    finally:
        os.close(held)


def _lock(folder: Path, how: int = fcntl.LOCK_EX) -> int:
    """Lock a folder; closing the descriptor that is returned lets go of it.

    Raises:
        BlockingIOError: with ``LOCK_NB``, another process has it.
        OSError: it cannot be opened or locked.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, how)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _delete_left_behind(beside: Path) -> None:
    for folder in beside.glob(f"{_PREFIX}*"):
        try:
            held = _lock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # somebody works in it, or it is gone by now
            continue
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)
