"""From pictures to aligned chips by the system's own detector, and what was dropped and why."""

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.alignment import align
from facerec.analysis.analyzer import FaceAnalyzer
from facerec.analysis.image_decoding import decode_image
from facerec.analysis.main_face import main_face
from facerec.errors import ImageError, TrainingError
from facerec.inference import Alignment
from facerec.training.cleaning import Review
from facerec.training.new_folder import new_folder
from facerec.training.record_file import ChipWriter, DataDescription
from facerec.training.sources import Sources

__all__ = ["Drop", "DroppedPicture", "Preparation", "PreparationRules", "prepare"]

AHEAD = 64
"""Pictures under way at most: what is held in memory beside the chip that is written."""


class Drop(StrEnum):
    """Why a picture is not learned from."""

    GONE = "gone"
    """The file cannot be read: it has vanished, or its rights do not allow it."""
    UNREADABLE = "unreadable"
    """The file is not a picture that can be taken."""
    NO_FACE = "no_face"
    TOO_SMALL = "too_small"
    """The face is smaller than asked for."""
    POOR_QUALITY = "poor_quality"
    DUPLICATE = "duplicate"
    """A picture with the same content came before, of whomever."""
    REVIEWED_OUT = "reviewed_out"
    """A reviewer took up the proposal to leave it out."""
    TOO_FEW = "too_few_pictures"
    """Its person has fewer pictures left than asked for."""


@dataclass(frozen=True)
class PreparationRules:
    """What a picture must be to be learned from.

    Attributes:
        min_face_px: Least side of the face's box.
        min_quality: Least overall quality, 0..1.
        min_pictures: Least pictures of a person.
        max_pixels: Pictures of more pixels are refused.
    """

    min_face_px: int = 24
    min_quality: float = 0.0
    min_pictures: int = 1
    max_pixels: int = 50_000_000


@dataclass(frozen=True)
class DroppedPicture:
    """A picture that is not learned from.

    Attributes:
        source: Its path.
        reason: Why.
    """

    source: str
    reason: Drop


@dataclass(frozen=True)
class Preparation:
    """What came of preparing data.

    Attributes:
        description: Of the data.
        given: Pictures that were given.
        dropped: Those that were dropped.
        single: People with one picture only: they teach what others do not look like.
    """

    description: DataDescription
    given: int
    dropped: tuple[DroppedPicture, ...]
    single: int

    @property
    def counts(self) -> dict[str, int]:
        """How many pictures were dropped for each reason."""
        return dict(Counter(str(entry.reason) for entry in self.dropped))


@dataclass(frozen=True, eq=False)
class _Face:
    """The subject of one picture."""

    chip: NDArray[np.uint8]
    embedding: NDArray[np.float32]
    content: bytes


def prepare(
    sources: Sources,
    analyzers: Sequence[FaceAnalyzer],
    description: DataDescription,
    output: Path,
    rules: PreparationRules,
    advance: Callable[[int], None],
    review: Review | None = None,
) -> Preparation:
    """Cut chips and write a data folder, which appears whole or not at all.

    Args:
        sources: The pictures.
        analyzers: One a thread.
        description: All but counts and hashes.
        output: Folder to make.
        rules: What a picture must be.
        advance: Told how many more pictures are done.
        review: What a reviewer made of the proposals for earlier data; None for nothing.

    Raises:
        TrainingError: the folder is there already or cannot be written, or nothing is left.
    """
    review = review or Review()
    with new_folder(output) as folder:
        writer = ChipWriter(folder)
        dropped: list[DroppedPicture] = []
        kept_names: list[str] = []
        seen: set[bytes] = set()
        for path, person, face in _faces(sources, analyzers, description.alignment, rules):
            advance(1)
            face = Drop.REVIEWED_OUT if path in review.dropped else _only_new(face, seen)
            if isinstance(face, Drop):
                dropped.append(DroppedPicture(path, face))
                continue
            seen.add(face.content)
            kept_names.append(review.person_of(path, person))
            writer.add(face.chip, len(kept_names) - 1, path, face.embedding)
        return _finish(writer, folder, kept_names, description, rules, dropped, len(sources))


def _only_new(face: "_Face | Drop", seen: set[bytes]) -> "_Face | Drop":
    return Drop.DUPLICATE if isinstance(face, _Face) and face.content in seen else face


def _finish(
    writer: ChipWriter,
    folder: Path,
    people: list[str],
    description: DataDescription,
    rules: PreparationRules,
    dropped: list[DroppedPicture],
    given: int,
) -> Preparation:
    counts = Counter(people)
    kept = np.array([counts[name] >= rules.min_pictures for name in people], bool)
    if not kept.any():
        raise TrainingError(
            f"nothing is left to learn from: {given} picture(s) given, "
            f"{dict(Counter(str(d.reason) for d in dropped)) or 'none dropped'}, people need "
            f"{rules.min_pictures} picture(s) each"
        )
    sources, numbers = writer.sources, {name: i for i, name in enumerate(sorted(counts))}
    dropped += [DroppedPicture(sources[row], Drop.TOO_FEW) for row in np.flatnonzero(~kept)]
    listed = folder / "dropped.csv"
    # Names of files may be of any bytes: what is no UTF-8 is written as it is.
    with listed.open("w", encoding="utf-8", errors="surrogateescape", newline="") as opened:
        table = csv.writer(opened)
        table.writerow(("picture", "reason"))
        table.writerows((entry.source, str(entry.reason)) for entry in dropped)
    writer.set_people([numbers[name] for name in people])
    described = writer.finish(sorted(counts), kept, description)
    single = sum(1 for name, count in counts.items() if count == 1 >= rules.min_pictures)
    return Preparation(described, given, tuple(dropped), single)


def _faces(
    sources: Sources,
    analyzers: Sequence[FaceAnalyzer],
    alignment: Alignment,
    rules: PreparationRules,
) -> Iterator[tuple[str, str, "_Face | Drop"]]:
    """Yield path, person and subject of every picture, in order, some made ahead."""
    free: SimpleQueue[FaceAnalyzer] = SimpleQueue()
    for analyzer in analyzers:
        free.put(analyzer)

    def one(path: str) -> "_Face | Drop":
        analyzer = free.get()
        try:
            return _face(sources.root / path, analyzer, alignment, rules)
        finally:
            free.put(analyzer)

    entries = iter(zip(sources.paths, sources.people, strict=True))
    with ThreadPoolExecutor(len(analyzers)) as pool:
        while part := list(islice(entries, AHEAD)):
            found = pool.map(one, [path for path, _ in part])
            yield from ((path, name, face) for (path, name), face in zip(part, found, strict=True))


def _face(
    path: Path, analyzer: FaceAnalyzer, alignment: Alignment, rules: PreparationRules
) -> "_Face | Drop":
    try:
        data = path.read_bytes()
    except OSError:
        return Drop.GONE
    try:
        image = decode_image(data, max_pixels=rules.max_pixels)
    except ImageError:
        return Drop.UNREADABLE
    faces = analyzer.detect(image)
    subject = main_face(faces, image.shape)
    if subject is None:
        return Drop.NO_FACE
    face = faces[np.array([subject])]
    left, top, right, bottom = face.boxes_xyxy_px[0]
    if max(right - left, bottom - top) < rules.min_face_px:
        return Drop.TOO_SMALL
    embedded = analyzer.embed(image, face)
    if embedded.quality is None or embedded.embeddings is None:
        raise TrainingError("the analyzer neither assessed nor embedded a face")
    if embedded.quality.overall[0] < rules.min_quality:
        return Drop.POOR_QUALITY
    chip = align(image, face.landmarks_px, alignment)[0]
    return _Face(chip, embedded.embeddings[0], hashlib.sha256(data).digest())
