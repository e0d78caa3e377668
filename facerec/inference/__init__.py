"""Running an exported network behind one small protocol."""

from facerec.inference.manifest import (
    Alignment,
    EmbeddingCentre,
    ModelManifest,
    ModelTask,
    Preprocessing,
)
from facerec.inference.session import InferenceSession

__all__ = [
    "Alignment",
    "EmbeddingCentre",
    "InferenceSession",
    "ModelManifest",
    "ModelTask",
    "Preprocessing",
]
