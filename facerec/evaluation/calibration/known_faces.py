"""Templates of known people, from wherever they are."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facerec.errors import EvaluationError
from facerec.evaluation.calibration.calibrating import KnownFaces
from facerec.evaluation.pictures.face_table import FaceTable
from facerec.gallery.profile import Template

__all__ = ["faces_of_table", "faces_of_templates"]


def faces_of_table(table: FaceTable, people: NDArray[np.int32]) -> KnownFaces:
    """Return the faces of pictures; those that gave no template are left out.

    Raises:
        EvaluationError: no picture gave one.
    """
    rows = np.flatnonzero(table.acquired)
    if not len(rows):
        raise EvaluationError("no face was found in any of the pictures")
    numbers = np.unique(people[rows], return_inverse=True)[1].astype(np.int32)
    return KnownFaces(table.embeddings[rows], numbers, table.quality[rows, 0])


def faces_of_templates(
    templates_by_person: Sequence[Sequence[Template]], embedding_space: str
) -> KnownFaces:
    """Return the templates of a space of enrolled people.

    Raises:
        EvaluationError: nobody has a template in it.
    """
    embeddings, people, quality = [], [], []
    person = 0
    for templates in templates_by_person:
        fitting = [t for t in templates if t.embedding_space == embedding_space]
        embeddings += [t.embedding for t in fitting]
        quality += [t.quality for t in fitting]
        people += [person] * len(fitting)
        person += bool(fitting)
    if not embeddings:
        raise EvaluationError(
            f"nobody is enrolled in the embedding space {embedding_space}, so there is nothing to "
            "calibrate on: enrol people first, or give --images"
        )
    return KnownFaces(
        np.stack(embeddings), np.array(people, np.int32), np.array(quality, np.float32)
    )
