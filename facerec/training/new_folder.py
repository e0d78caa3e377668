"""A folder that appears whole or not at all, whatever stops the process that makes it."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facerec.errors import TrainingError

__all__ = ["new_folder", "was_cut_off"]


def was_cut_off(output: Path) -> bool:
    """Tell whether remains of a process that was killed while making a folder lie beside it."""
    remains = _unfinished(output)
    if output.exists() or not remains.is_dir():
        return False
    try:
        descriptor = _held(remains)
    except OSError:
        return False  # another process makes it just now, or it is not ours to look at
    os.close(descriptor)
    return True


@contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """Give an empty folder that takes its name when all of it is written.

    It lies beside the name until then, locked: what a killed process leaves there is free of
    locks, so the next one knows it for remains, removes it and begins again.

    Raises:
        TrainingError: the folder exists already, another process makes it, or it cannot be
            written.
    """
    if output.exists():
        raise TrainingError(f"{output} exists already; give another --output")
    unfinished = _unfinished(output)
    descriptor = -1
    try:
        unfinished.mkdir(parents=True, exist_ok=True)
        descriptor = _held(unfinished)
        _empty(unfinished)
        yield unfinished
        unfinished.rename(output)
    except BlockingIOError as error:
        raise TrainingError(
            f"another process makes {output}; wait for it, or give another --output"
        ) from error
    except OSError as error:
        raise TrainingError(f"{output} cannot be written: {error.strerror or error}") from error
    finally:
        if descriptor >= 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            os.close(descriptor)


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _unfinished(output: Path) -> Path:
    return output.with_name(f".{output.name}.unfinished")


def _held(folder: Path) -> int:
    """Open a folder and lock it; the lock ends with the process.

    Raises:
        BlockingIOError: another process has it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
