"""Turning chips into embeddings."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError, ModelDamagedError
from facerec.inference.manifest import Alignment, EmbeddingCentre, ModelManifest
from facerec.inference.preparation import prepared
from facerec.inference.session import InferenceSession

__all__ = ["Embedder", "Embeddings", "NetworkEmbedder", "centred"]

LENGTHS = {"sface": (6.0, 12.0)}
"""Lengths of a network's output at which nothing and a whole face was seen, by architecture.

Networks trained to tell people apart by angle give short outputs for what they recognise badly,
whatever the cause: blur, pose, occlusion, light (Meng and others, 'MagFace', CVPR 2021; Kim and
others, 'AdaFace', CVPR 2022). Measured with SFace on LFW folds 1 and 2: the length is 9.9 at the
lowest 1 % of faces, 11.2 at 10 %, 12.6 in the middle; leaving out the lowest 10 % takes away 94 %
of the false non-matches at FMR 1e-3 (docs/accuracy.md). Others are taken as fully seen."""


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

    def embed_assessed(
        self,
        chips_bgr: NDArray[np.uint8],
        *,
        mirrored: bool,
        mirror_of_bgr: NDArray[np.uint8] | None = None,
    ) -> "Embeddings":
        """Embed aligned faces and say how much of a face was seen; see `embed`.

        Args:
            chips_bgr: As in `embed`.
            mirrored: As in `embed`.
            mirror_of_bgr: uint8 (n, s, s, 3), chips of the same faces to mirror instead.
        """
        ...


@dataclass(frozen=True, eq=False)
class Embeddings:
    """What an embedder made of n chips.

    Attributes:
        vectors: float32 (n, d), finite, unit length.
        recognisability: float32 (n,), 0..1: how much of a face the network saw.
    """

    vectors: NDArray[np.float32]
    recognisability: NDArray[np.float32]


def centred(vectors: NDArray[np.float32], centre: EmbeddingCentre) -> NDArray[np.float32]:
    """Subtract the centre of a space from embeddings, and give them unit length again.

    Templates that were made without the centre become, exactly, those that would be made with it.

    Args:
        vectors: float32 (n, d), unit length, none of them at the centre.
        centre: Of d numbers.

    Raises:
        ArrayError: the centre has another length than the embeddings.
    """
    if vectors.shape[1:] != (len(centre.vector),):
        raise ArrayError(
            f"embeddings must have shape (n, {len(centre.vector)}), as their centre; "
            f"received {vectors.shape}"
        )
    moved = vectors - np.array(centre.vector, np.float32)
    unit: NDArray[np.float32] = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return unit


class NetworkEmbedder:
    """An exported network as an `Embedder`."""

    def __init__(self, session: InferenceSession, manifest: ModelManifest) -> None:
        """Take the network and what is known of it.

        Args:
            session: Takes (n, s, s, 3); gives float32 (n, d), not normalised.
            manifest: Must be that of an embedder, so it has an alignment.

        Raises:
            ArrayError: the manifest has no alignment.
            ModelDamagedError: its centre is not that of such embeddings.
        """
        if manifest.alignment is None:
            raise ArrayError(f"{manifest.name} must be an embedder; its manifest has no alignment")
        centre = manifest.centre
        if centre is not None and len(centre.vector) != manifest.embedding_size:
            raise ModelDamagedError(
                f"{manifest.name} gives {manifest.embedding_size} numbers, its centre has "
                f"{len(centre.vector)}; run: facerec models pull {manifest.name} --force"
            )
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
        return self.embed_assessed(chips_bgr, mirrored=mirrored).vectors

    def embed_assessed(
        self,
        chips_bgr: NDArray[np.uint8],
        *,
        mirrored: bool,
        mirror_of_bgr: NDArray[np.uint8] | None = None,
    ) -> Embeddings:
        """Embed aligned faces and say how much of a face was seen; see `Embedder`."""
        side = self._alignment.chip_size_px
        if chips_bgr.shape[1:] != (side, side, 3) or chips_bgr.dtype != np.uint8:
            raise ArrayError(
                f"chips must be uint8 of shape (n, {side}, {side}, 3); "
                f"received {chips_bgr.dtype} of shape {chips_bgr.shape}"
            )
        if not len(chips_bgr):
            none = np.zeros((0, self._manifest.embedding_size), np.float32)
            return Embeddings(none, np.zeros(0, np.float32))
        to_mirror = chips_bgr if mirror_of_bgr is None else mirror_of_bgr
        views = [
            np.stack([chip, other[:, ::-1]]) if mirrored else chip[None]
            for chip, other in zip(chips_bgr, to_mirror, strict=True)
        ]
        vectors, lengths = zip(*map(self._embed_one, views), strict=True)
        return Embeddings(np.stack(vectors), self._recognisability(np.array(lengths, np.float32)))

    def _embed_one(self, views: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
        """Return the embedding of views of a face, and the mean length of the network's output."""
        raw = self._session.run(prepared(views, self._manifest.preprocessing))
        embeddings = self._unit(raw)
        if len(views) > 1:
            embeddings = self._unit(embeddings.sum(axis=0, keepdims=True))
        if self._manifest.centre is not None:
            embeddings = centred(embeddings, self._manifest.centre)
        return embeddings[0], float(np.linalg.norm(raw, axis=1).mean())

    def _recognisability(self, lengths: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._manifest.architecture not in LENGTHS:
            return np.ones(len(lengths), np.float32)
        nothing, full = LENGTHS[self._manifest.architecture]
        return np.asarray(np.clip((lengths - nothing) / (full - nothing), 0, 1), np.float32)

    def _unit(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        lengths = np.linalg.norm(raw, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise ModelDamagedError(
                f"{self._manifest.name} gave an embedding that is not finite or has no length; "
                f"run: facerec models verify {self._manifest.name}"
            )
        unit: NDArray[np.float32] = raw / lengths
        return unit
