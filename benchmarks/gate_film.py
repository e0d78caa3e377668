"""A long film of parts of the gate clips, under trouble, with cuts between them.

Parts follow each other in random order: as they are, blurred, darkened, partly covered, smaller,
and two people side by side.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.analysis.main_face import main_face
from facerec.video.frame import Frame
from facerec.video.open_source import open_source

Image = NDArray[np.uint8]
SHOWN_FROM = datetime(2026, 1, 1, tzinfo=UTC)
FPS = 15.0
PART_FRAMES = 27


def blurred(image: Image, number: int) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.3), np.uint8)


def darkened(image: Image, number: int) -> Image:
    return (image * 0.35).astype(np.uint8)


def covered(image: Image, number: int) -> Image:
    """A post goes through the picture from left to right."""
    _, width = image.shape[:2]
    left = int((number / PART_FRAMES) * width)
    shown = image.copy()
    shown[:, left : left + width // 12] = 90
    return shown


def smaller(image: Image, number: int) -> Image:
    height, width = image.shape[:2]
    size = 0.7 + 0.25 * np.sin(number / 5)
    small = cv2.resize(image, None, fx=size, fy=size, interpolation=cv2.INTER_AREA)
    shown = np.full_like(image, 120)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    shown[top : top + small.shape[0], left : left + small.shape[1]] = small
    return shown


TROUBLES: dict[str, Callable[[Image, int], Image]] = {
    "plain": lambda image, number: image,
    "blurred": blurred,
    "darkened": darkened,
    "covered": covered,
    "smaller": smaller,
}


@dataclass(frozen=True)
class Clip:
    name: str
    person: str
    frames: list[Image]
    middle_px: float


@dataclass(frozen=True)
class Part:
    """A stretch of the film: its frames, and who is where; the border of two people is `split`."""

    trouble: str
    frames: list[Image]
    people: tuple[str, ...]
    split_px: float


def read_clips(folder: Path, labels: Path, analyzer: FaceAnalyzer) -> list[Clip]:
    with labels.open(encoding="utf-8") as rows:
        listed = [(row["clip"], row["person"]) for row in csv.DictReader(rows)]
    clips = []
    for name, person in listed:
        with open_source(str(folder / name)) as source:
            frames = [frame.image_bgr for frame in source]
        clips.append(Clip(name, person, frames, face_middle(frames, analyzer)))
    return clips


def face_middle(frames: list[Image], analyzer: FaceAnalyzer) -> float:
    for image in frames[:: max(1, len(frames) // 10)]:
        faces = analyzer.detect(image)
        index = main_face(faces, image.shape)
        if index is not None:
            return float(faces.boxes_xyxy_px[index, [0, 2]].mean())
    raise SystemExit("a clip shows no face")


def stretch(clip: Clip, rng: np.random.Generator) -> list[Image]:
    """Frames of a clip at half its rate, from a random start, there and back where it is short."""
    every = clip.frames[::2]
    order = [*range(len(every)), *range(len(every) - 2, 0, -1)]
    start = int(rng.integers(len(order)))
    return [every[order[(start + i) % len(order)]] for i in range(PART_FRAMES)]


def half(image: Image, middle_px: float) -> Image:
    width = image.shape[1]
    left = int(np.clip(middle_px - width / 4, 0, width / 2))
    return image[:, left : left + width // 2]


def make_parts(clips: list[Clip], rng: np.random.Generator) -> list[Part]:
    parts = []
    for clip in clips:
        for trouble, change in TROUBLES.items():
            frames = [change(image, i) for i, image in enumerate(stretch(clip, rng))]
            parts.append(Part(trouble, frames, (clip.person,), float("inf")))
    for first in clips:
        others = [clip for clip in clips if clip.person != first.person]
        second = others[int(rng.integers(len(others)))]
        both = zip(stretch(first, rng), stretch(second, rng), strict=True)
        frames = [np.hstack([half(a, first.middle_px), half(b, second.middle_px)]) for a, b in both]
        middle = frames[0].shape[1] / 2
        parts.append(Part("two people", frames, (first.person, second.person), middle))
    rng.shuffle(parts)  # type: ignore[arg-type]
    return parts


def film(parts: list[Part]) -> Iterator[Frame]:
    index = 0
    for part in parts:
        for image in part.frames:
            clock_s = index / FPS
            yield Frame(image, SHOWN_FROM + timedelta(seconds=clock_s), index, clock_s)
            index += 1


def side_of(part: Part, box_xyxy_px: Sequence[float] | NDArray[np.float32]) -> int:
    """0 for the left of two people, 1 for the right one."""
    return int((float(box_xyxy_px[0]) + float(box_xyxy_px[2])) / 2 > part.split_px)
