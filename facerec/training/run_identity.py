"""What must stay the same for a run to go on as if it had never stopped."""

import sys
from importlib import metadata
from typing import Any

import cv2
import keras
import numpy as np

from facerec.errors import TrainingError
from facerec.training.record_file import ChipReader
from facerec.training.run_folder import RunFolder
from facerec.training.settings import TrainingSettings, differences, settings_to_json
from facerec.training.whole_files import load_state

__all__ = ["check_unchanged", "identity_of"]


def identity_of(
    reader: ChipReader, settings: TrainingSettings, start_space: str, teacher_space: str
) -> dict[str, Any]:
    """Return all that must stay the same for a run to go on as if it had never stopped."""
    return {
        "settings": settings_to_json(settings),
        "data": reader.description.hash,
        "start": start_space,
        "teacher": teacher_space,
        "versions": _versions(),
    }


def check_unchanged(folder: RunFolder, now: dict[str, Any]) -> None:
    """Refuse to go on with a run that was told, or has computed with, anything else before.

    Args:
        folder: Of the run.
        now: What `identity_of` says now.

    Raises:
        TrainingError: something has changed; every change is named.
    """
    _check_same("the run's folder was made", folder.record["identity"], now)
    if folder.checkpoint.exists():
        state = load_state(folder.checkpoint)
        _check_same("the checkpoint was written", state["identity"], now)


def _check_same(when: str, before: dict[str, Any], now: dict[str, Any]) -> None:
    changed = differences(before, now)
    if changed:
        raise TrainingError(
            f"the run cannot go on, for since {when} this has changed: {'; '.join(changed)}; put "
            "it back, or begin a new run"
        )


def _versions() -> dict[str, str]:
    """Return the versions of what computes: these commands, Python, what changes chips, Keras."""
    backend = keras.backend.backend()
    module = __import__(backend)
    return {
        "facerec": metadata.version("facerec"),
        "python": ".".join(map(str, sys.version_info[:3])),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "keras": keras.__version__,
        "backend": f"{backend} {module.__version__}",
    }
