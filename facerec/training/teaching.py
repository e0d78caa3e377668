"""What an installed embedder says of the chips of prepared data."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.embedding import Embedder
from facerec.errors import TrainingError
from facerec.training.record_file import ChipReader
from facerec.training.views import Teacher, Views

__all__ = ["taught"]

AT_ONCE = 32


def taught(
    reader: ChipReader, views: Views, embedder: Embedder, advance: Callable[[int], None]
) -> Teacher:
    """Embed every form of every chip learned from, mirrored too, once before training.

    Args:
        reader: The data.
        views: Its forms.
        embedder: The teacher.
        advance: Told how many more forms are done, of ``len(views.rows) * views.count``.

    Raises:
        TrainingError: the chips are not cut as the teacher takes them.
    """
    if embedder.alignment != reader.description.alignment:
        raise TrainingError(
            "the data's chips are not cut as the teacher takes them; prepare the data with the "
            "teacher as FACEREC_ANALYSIS__EMBEDDER"
        )
    asked = [(int(row), number) for row in views.rows for number in range(views.count)]
    parts = [asked[first : first + AT_ONCE] for first in range(0, len(asked), AT_ONCE)]
    said = []
    with ThreadPoolExecutor(1) as pool:  # the next part is made while one is embedded
        waiting = pool.submit(_chips, views, parts[0])
        for part, after in zip(parts, [*parts[1:], []], strict=True):
            chips, waiting = waiting.result(), pool.submit(_chips, views, after)
            said.append(embedder.embed(chips, mirrored=True))
            advance(len(part))
    flat = np.concatenate(said)
    embeddings = np.zeros((len(reader), views.count, flat.shape[1]), np.float32)
    embeddings[views.rows] = flat.reshape(len(views.rows), views.count, -1)
    return Teacher(embedder.embedding_space, embeddings)


def _chips(views: Views, asked: list[tuple[int, int]]) -> NDArray[np.uint8]:
    return np.stack([views.chip(*one) for one in asked]) if asked else np.zeros(0, np.uint8)
