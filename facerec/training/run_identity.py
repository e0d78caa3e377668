"""What must stay the same for a run to go on as if it had never stopped."""

import sys
from importlib import metadata
from typing import Any

import cv2
import keras
import numpy as np

from facerec.errors import TrainingError
from facerec.training.record_file import ChipReader
from facerec.training.settings import TrainingSettings, differences, settings_to_json
from facerec.training.views import Teacher

__all__ = ["check_same", "identity_of"]


def identity_of(
    reader: ChipReader, settings: TrainingSettings, start_space: str, teacher: Teacher | None
) -> dict[str, Any]:
    """Return all that must stay the same for a run to go on as if it had never stopped."""
    return {
        "settings": settings_to_json(settings),
        "data": reader.description.hash,
        "start": start_space,
        "teacher": "" if teacher is None else teacher.space,
        "versions": _versions(),
    }


def check_same(when: str, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Refuse to go on when anything that `identity_of` names has changed.

    Raises:
        TrainingError: it has; every change is named.
    """
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
