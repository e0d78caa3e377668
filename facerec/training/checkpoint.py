"""Everything that a run needs to go on as if it had never stopped, in one file.

The file appears whole or not at all: it is written beside its name, brought to the disk and
renamed, so neither a kill nor a full disk costs more than the epoch at hand.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from facerec.errors import TrainingError
from facerec.training.whole_files import load_arrays, save_arrays

__all__ = ["load_checkpoint", "save_checkpoint"]


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


def _variables(trainee: keras.Model) -> list[Any]:
    """List every variable once, in an order that is the same for the same settings."""
    seen: dict[int, Any] = {}
    for variable in (*trainee.variables, *trainee.optimizer.variables):
        seen.setdefault(id(variable), variable)
    return list(seen.values())
