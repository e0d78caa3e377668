"""Files that appear whole or not at all, and arrays kept in them. Imports no Keras."""

import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from facerec.errors import TrainingError

__all__ = ["GO_ON", "load_arrays", "load_state", "save_arrays", "written_whole"]

Array = NDArray[Any]
GO_ON = "go on with: facerec train resume"
"""What is to be done when a file of a run could not be written."""


def save_arrays(path: Path, arrays: Sequence[Array], state: dict[str, Any]) -> None:
    """Write arrays in their order, and a JSON object.

    Raises:
        TrainingError: the file cannot be written; an older one stays as it was.
    """
    named = {f"{number:05d}": array for number, array in enumerate(arrays)}
    with written_whole(path, GO_ON) as opened:
        np.savez(opened, state=np.array(json.dumps(state)), **named)  # type: ignore[arg-type]


def load_arrays(path: Path) -> tuple[list[Array], dict[str, Any]]:
    """Read what `save_arrays` wrote.

    Raises:
        TrainingError: the file is missing or damaged.
    """
    with _opened(path) as held:
        state: dict[str, Any] = json.loads(str(held["state"]))
        return [held[name] for name in sorted(held.files) if name != "state"], state


def load_state(path: Path) -> dict[str, Any]:
    """Read the JSON object alone of what `save_arrays` wrote.

    Raises:
        TrainingError: the file is missing or damaged.
    """
    with _opened(path) as held:
        state: dict[str, Any] = json.loads(str(held["state"]))
        return state


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as held:
            yield held
    except FileNotFoundError as error:
        raise TrainingError(
            f"there is no {path}: the run has not ended its first epoch; go on with: facerec "
            f"train resume {path.parent}"
        ) from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise TrainingError(f"{path} is damaged; begin the run again") from error


@contextmanager
def written_whole(path: Path, then: str = "try again") -> Iterator[BinaryIO]:
    """Give a file to write that takes the place of `path` when all of it is on the disk.

    Args:
        path: File to make or replace.
        then: What is to be done when there is room, for the message.

    Raises:
        TrainingError: it cannot be written; what was at `path` stays as it was.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("wb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(unfinished, path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise TrainingError(
            f"{path} cannot be written: {error.strerror or error}; what was kept before is whole: "
            f"make room and {then}"
        ) from error
