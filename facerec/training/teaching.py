"""What an installed embedder says of the chips of prepared data."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from facerec.analysis.embedding import Embedder
from facerec.errors import TrainingError
from facerec.training.record_file import ChipReader
from facerec.training.running import Teacher

__all__ = ["taught"]

AT_ONCE = 32


def taught(reader: ChipReader, embedder: Embedder, advance: Callable[[int], None]) -> Teacher:
    """Embed every chip with an installed network, mirrored too, once before training.

    The student sees changed chips and is asked for what the teacher says of the unchanged one: it
    learns to disregard what cameras do (and the teacher costs nothing during training).

    Args:
        reader: The data.
        embedder: The teacher.
        advance: Told how many more chips are done.

    Raises:
        TrainingError: the chips are not cut as the teacher takes them.
    """
    if embedder.alignment != reader.description.alignment:
        raise TrainingError(
            "the data's chips are not cut as the teacher takes them; prepare the data with the "
            "teacher as FACEREC_ANALYSIS__EMBEDDER"
        )
    starts = range(0, len(reader), AT_ONCE)

    def part(first: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        rows = np.arange(first, min(first + AT_ONCE, len(reader)))
        said = embedder.embed(reader.chips(rows), mirrored=True)
        advance(len(rows))
        return said

    with ThreadPoolExecutor(1) as pool:
        return Teacher(embedder.embedding_space, np.concatenate(list(pool.map(part, starts))))
