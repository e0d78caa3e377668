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

VIEWS_AT_ONCE = 4
"""Two faces with their mirrored chips: on a CPU a batch gains 8 % at best, and each view in it
holds 6 MB of SFace's activations (112 x 112 x 64 numbers in and out of its widest layer)."""


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

    def __init__(
        self,
        session: InferenceSession,
        manifest: ModelManifest,
        *,
        views_at_once: int = VIEWS_AT_ONCE,
    ) -> None:
        """Take the network and what is known of it.

        Args:
            session: Takes (n, s, s, 3); gives float32 (n, d), not normalised.
            manifest: Must be that of an embedder, so it has an alignment.
            views_at_once: Most chips and mirrored chips in one run of the network, from 1.

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
        self._views_at_once = views_at_once
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
        views = chips_bgr[:, None]
        if mirrored:
            others = chips_bgr if mirror_of_bgr is None else mirror_of_bgr
            views = np.stack([chips_bgr, others[:, :, ::-1]], axis=1)
        raw = self._run(views.reshape(-1, side, side, 3))
        lengths = np.linalg.norm(raw, axis=1, keepdims=True)
        vectors = self._unit(raw, lengths)
        if mirrored:
            vectors = vectors[0::2] + vectors[1::2]
            vectors = self._unit(vectors, np.linalg.norm(vectors, axis=1, keepdims=True))
        if self._manifest.centre is not None:
            vectors = centred(vectors, self._manifest.centre)
        seen = lengths.reshape(len(chips_bgr), -1).mean(axis=1)
        return Embeddings(vectors, self._recognisability(seen))

    def _run(self, views_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the network's outputs for views of faces, a batch at a time."""
        pixels = prepared(views_bgr, self._manifest.preprocessing)
        starts = range(0, len(pixels), self._views_at_once)
        outputs = [self._session.run(pixels[i : i + self._views_at_once]) for i in starts]
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)

    def _recognisability(self, lengths: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._manifest.architecture not in LENGTHS:
            return np.ones(len(lengths), np.float32)
        nothing, full = LENGTHS[self._manifest.architecture]
        return np.asarray(np.clip((lengths - nothing) / (full - nothing), 0, 1), np.float32)

    def _unit(
        self, vectors: NDArray[np.float32], lengths: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        if not np.isfinite(lengths).all() or not lengths.all():
            raise ModelDamagedError(
                f"{self._manifest.name} gave an embedding that is not finite or has no length; "
                f"run: facerec models verify {self._manifest.name}"
            )
        unit: NDArray[np.float32] = vectors / lengths
        return unit
