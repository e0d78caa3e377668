"""What is known of an exported network, written beside it when it is made and read to run it."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Alignment", "EmbeddingCentre", "ModelManifest", "ModelTask", "Preprocessing"]


class ModelTask(StrEnum):
    """What a network is for."""

    DETECTOR = "detector"
    EMBEDDER = "embedder"


@dataclass(frozen=True)
class Preprocessing:
    """How uint8 BGR pixels become the network's input: ``(x - offset) * scale`` in `color_order`.

    Attributes:
        version: Rises whenever the same pixels would give other numbers; part of the space id.
        color_order: ``"bgr"`` or ``"rgb"``: the channel order that the weights were trained on.
        offset: Subtracted per channel, in `color_order`, in 0..255 units.
        scale: Multiplied after the subtraction.
        in_network: True when the exported network does all this itself and takes uint8 BGR; False
            when it takes float32 that is prepared before the call (an imported ``.tflite``).
    """

    version: int
    color_order: str
    offset: tuple[float, float, float]
    scale: float
    in_network: bool = True


@dataclass(frozen=True)
class Alignment:
    """Where the five landmarks of a face lie on the chip that an embedder takes.

    Attributes:
        chip_size_px: Side of the square chip.
        landmarks_px: Right eye, left eye, nose tip, right and left mouth corner of the subject (the
            leftmost in the picture first), as (x, y) in pixels of the chip, pixel centres at whole
            numbers.
    """

    chip_size_px: int
    landmarks_px: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class EmbeddingCentre:
    """Where the embeddings of a network gather, to be subtracted from each.

    Embeddings of different people are not spread evenly about zero, so all similarities hold a
    part that says nothing of the person (docs/accuracy.md has the gain).

    Attributes:
        version: Rises whenever `vector` changes; part of the space id.
        vector: Mean of unit-length embeddings, or a share of it, as many numbers as an embedding
            has.
        provenance: What it was fitted on, in words.
    """

    version: int
    vector: tuple[float, ...]
    provenance: str


@dataclass(frozen=True)
class ModelManifest:
    """One installed network: what it is, where it came from, and the hashes of its files.

    Attributes:
        name: Name in the catalogue, or the name a user gave on import.
        task: Detector or embedder.
        architecture: Name of the Keras architecture (``"yunet"``, ``"centerface"``, ``"sface"``,
            ``"dlib_resnet"``), or ``"external"`` for an imported graph of unknown make.
        version: Version of the weights as their source names it.
        license: SPDX expression of the weights' licence.
        source: Where the weights came from, in words (package, version, file).
        weights_sha256: SHA-256 of the source file of the weights.
        preprocessing: How pixels become network input.
        alignment: Chip size and landmark positions; None for a detector.
        embedding_size: Length of the embedding; 0 for a detector.
        embedding_space: Id that every template of this network carries; "" for a detector.
        files: File name in the model's folder -> SHA-256; at least ``model.tflite``.
        centre: Subtracted from unit-length embeddings; None to subtract nothing.
    """

    name: str
    task: ModelTask
    architecture: str
    version: str
    license: str
    source: str
    weights_sha256: str
    preprocessing: Preprocessing
    alignment: Alignment | None
    embedding_size: int
    embedding_space: str
    files: dict[str, str]
    centre: EmbeddingCentre | None = None
