"""Turning chips into embeddings."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError, ModelDamagedError
from facerec.inference.manifest import Alignment, ModelManifest
from facerec.inference.preparation import prepared
from facerec.inference.session import InferenceSession

__all__ = ["Embedder", "NetworkEmbedder"]


class Embedder(Protocol):
    """Turns aligned faces into points of one embedding space; safe to call from several threads."""

    @property
    def embedding_space(self) -> str:
        """Id of the space; embeddings of different spaces are never compared."""
        ...

    @property
    def alignment(self) -> Alignment:
        """The chip that `embed` takes."""
        ...

    def embed(self, chips_bgr: NDArray[np.uint8], *, mirrored: bool) -> NDArray[np.float32]:
        """Embed aligned faces.

        Args:
            chips_bgr: uint8 (n, s, s, 3), n from 0, with s = ``alignment.chip_size_px``.
            mirrored: Also embed the mirrored chip and average: a little more exact, twice the time.

        Returns:
            float32 (n, d), finite, unit length.

        Raises:
            ArrayError: the chips have another shape or type.
        """
        ...


class NetworkEmbedder:
    """An exported network as an `Embedder`."""

    def __init__(self, session: InferenceSession, manifest: ModelManifest) -> None:
        """Take the network and what is known of it.

        Args:
            session: Takes (n, s, s, 3); gives float32 (n, d), not normalised.
            manifest: Must be that of an embedder, so it has an alignment.

        Raises:
            ArrayError: the manifest has no alignment.
        """
        if manifest.alignment is None:
            raise ArrayError(f"{manifest.name} must be an embedder; its manifest has no alignment")
        self._session = session
        self._alignment = manifest.alignment
        self._manifest = manifest

    @property
    def embedding_space(self) -> str:
        """Id of the space; see `Embedder`."""
        return self._manifest.embedding_space

    @property
    def alignment(self) -> Alignment:
        """The chip that `embed` takes; see `Embedder`."""
        return self._alignment

    def embed(self, chips_bgr: NDArray[np.uint8], *, mirrored: bool) -> NDArray[np.float32]:
        """Embed aligned faces; see `Embedder.embed`."""
        side = self._alignment.chip_size_px
        if chips_bgr.shape[1:] != (side, side, 3) or chips_bgr.dtype != np.uint8:
            raise ArrayError(
                f"chips must be uint8 of shape (n, {side}, {side}, 3); "
                f"received {chips_bgr.dtype} of shape {chips_bgr.shape}"
            )
        if not len(chips_bgr):
            return np.zeros((0, self._manifest.embedding_size), np.float32)
        return np.stack([self._embed_one(chip, mirrored=mirrored) for chip in chips_bgr])

    def _embed_one(self, chip_bgr: NDArray[np.uint8], *, mirrored: bool) -> NDArray[np.float32]:
        views = np.stack([chip_bgr, chip_bgr[:, ::-1]]) if mirrored else chip_bgr[None]
        embeddings = self._unit(self._session.run(prepared(views, self._manifest.preprocessing)))
        if mirrored:
            embeddings = self._unit(embeddings.sum(axis=0, keepdims=True))
        embedding: NDArray[np.float32] = embeddings[0]
        return embedding

    def _unit(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        lengths = np.linalg.norm(raw, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise ModelDamagedError(
                f"{self._manifest.name} gave an embedding that is not finite or has no length; "
                f"run: facerec models verify {self._manifest.name}"
            )
        unit: NDArray[np.float32] = raw / lengths
        return unit
