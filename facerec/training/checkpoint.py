"""Everything that a run needs to go on as if it had never stopped, in one file.

The file appears whole or not at all: it is written beside its name, brought to the disk and
renamed, so neither a kill nor a full disk costs more than the epoch at hand.
"""

import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np
from numpy.typing import NDArray

from facerec.errors import TrainingError

__all__ = ["load_arrays", "load_checkpoint", "save_arrays", "save_checkpoint", "written_whole"]

Array = NDArray[Any]


def save_checkpoint(path: Path, trainee: keras.Model, state: dict[str, Any]) -> None:
    """Write all weights, the optimizer's state and what else the run remembers.

    Args:
        path: File to replace.
        trainee: Built and compiled.
        state: JSON object.

    Raises:
        TrainingError: the file cannot be written; an older one stays as it was.
    """
    arrays = [np.asarray(keras.ops.convert_to_numpy(v)) for v in _variables(trainee)]
    save_arrays(path, arrays, state)


def load_checkpoint(path: Path, trainee: keras.Model) -> None:
    """Set all weights and the optimizer's state to what a checkpoint holds.

    Raises:
        TrainingError: the file is damaged, or of another network.
    """
    arrays, _ = load_arrays(path)
    variables = _variables(trainee)
    shapes = [tuple(v.shape) for v in variables]
    if shapes != [a.shape for a in arrays]:
        raise TrainingError(f"{path} is of another network than the run's settings name")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def save_arrays(path: Path, arrays: Sequence[Array], state: dict[str, Any]) -> None:
    """Write arrays in their order, and a JSON object.

    Raises:
        TrainingError: the file cannot be written; an older one stays as it was.
    """
    named = {f"{number:05d}": array for number, array in enumerate(arrays)}
    with written_whole(path) as opened:
        np.savez(opened, state=np.array(json.dumps(state)), **named)  # type: ignore[arg-type]


def load_arrays(path: Path) -> tuple[list[Array], dict[str, Any]]:
    """Read what `save_arrays` wrote.

    Raises:
        TrainingError: the file is missing or damaged.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as held:
            state: dict[str, Any] = json.loads(str(held["state"]))
            return [held[name] for name in sorted(held.files) if name != "state"], state
    except FileNotFoundError as error:
        raise TrainingError(f"there is no {path}: the run had not ended its first epoch") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise TrainingError(f"{path} is damaged; begin the run again") from error


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write that takes the place of `path` when all of it is on the disk.

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
            "make room and go on with: facerec train resume"
        ) from error


def _variables(trainee: keras.Model) -> list[Any]:
    """List every variable once, in an order that is the same for the same settings."""
    seen: dict[int, Any] = {}
    for variable in (*trainee.variables, *trainee.optimizer.variables):
        seen.setdefault(id(variable), variable)
    return list(seen.values())
