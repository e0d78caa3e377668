"""Trying whether an exported network gives what its task needs, before it is taken."""

import numpy as np
from numpy.typing import NDArray

from facerec.errors import FaceRecError, ModelImportError
from facerec.inference.manifest import Preprocessing
from facerec.inference.preparation import prepared
from facerec.inference.session import InferenceSession
from facerec.models.generated_images import generated_images

__all__ = ["check_detector", "check_embedder"]

MIN_EMBEDDING_SIZE = 16
MAX_SIMILARITY_OF_UNLIKE = 0.9999
"""Cosine similarity at which two quite different pictures count as embedded alike."""

_CHANNELS = {"yunet": 16, "centerface": 15}
_SCORES = {"yunet": 2, "centerface": 1}


def check_embedder(
    session: InferenceSession, preprocessing: Preprocessing, chip_size_px: int
) -> int:
    """Try an embedder on two quite different pictures.

    Args:
        session: The network.
        preprocessing: How pixels become its input.
        chip_size_px: Side of the chips it takes.

    Returns:
        The length of its embeddings.

    Raises:
        ModelImportError: it gives no embeddings, or the same for every picture.
    """
    chips = generated_images(2, chip_size_px, chip_size_px)
    embeddings = _run(session, prepared(chips, preprocessing))
    if embeddings.ndim != 2 or embeddings.shape[1] < MIN_EMBEDDING_SIZE:
        raise ModelImportError(
            f"an embedder gives (n, d) numbers, d from {MIN_EMBEDDING_SIZE}; this network gives "
            f"{embeddings.shape} for 2 chips"
        )
    lengths = np.linalg.norm(embeddings, axis=1)
    if not lengths.all():
        raise ModelImportError("the network gives embeddings without length; are weights loaded?")
    similarity = float(embeddings[0] @ embeddings[1] / (lengths[0] * lengths[1]))
    if similarity > MAX_SIMILARITY_OF_UNLIKE:
        raise ModelImportError(
            f"the network embeds two quite different pictures alike (similarity {similarity:.5f}); "
            "are the preprocessing you stated and its weights right?"
        )
    return int(embeddings.shape[1])


def check_detector(
    session: InferenceSession, architecture: str, preprocessing: Preprocessing
) -> None:
    """Try a detector on pictures of two sizes.

    Args:
        session: The network.
        architecture: ``"yunet"`` or ``"centerface"``: how its output is laid out.
        preprocessing: How pixels become its input.

    Raises:
        ModelImportError: its output is not laid out so, or its scores are no scores.
    """
    for height, width in ((96, 128), (160, 96)):
        images = generated_images(1, height, width)
        output = _run(session, prepared(images, preprocessing))
        channels = _CHANNELS[architecture]
        if architecture == "yunet":
            cells = sum(height // stride * (width // stride) for stride in (8, 16, 32))
            expected: tuple[int, ...] = (1, cells, channels)
        else:
            expected = (1, height // 4, width // 4, channels)
        if output.shape != expected:
            raise ModelImportError(
                f"a {architecture} detector gives {expected} numbers for a picture of {width}x"
                f"{height}; this network gives {output.shape}"
            )
        scores = output[..., : _SCORES[architecture]]
        if scores.min() < 0 or scores.max() > 1:
            raise ModelImportError(
                f"the scores of a {architecture} detector lie in 0..1; this network gives "
                f"{scores.min():.3g}..{scores.max():.3g}"
            )


def _run(
    session: InferenceSession, batch: NDArray[np.uint8] | NDArray[np.float32]
) -> NDArray[np.float32]:
    try:
        output = session.run(batch)
    except FaceRecError as error:
        raise ModelImportError(
            f"the network cannot be run: {error}; for one that takes floats state "
            "--color-order, --offset and --scale"
        ) from error
    if not np.isfinite(output).all():
        raise ModelImportError("the network gives numbers that are not finite")
    return output
