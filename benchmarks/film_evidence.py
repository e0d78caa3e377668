"""A long film of known people under trouble: named by evidence over tracks, and frame by frame.

    .venv/bin/python benchmarks/film_evidence.py CLIPS LABELS.csv [--people N] [--home HOME]

Parts of the clips follow each other in random order with cuts between them: as they are, blurred,
darkened, partly covered, smaller, and two people side by side. All but one of the people are
enrolled, from three stills of their first clip, unless --people says otherwise. Each visit is one
person in one part; the same frames are then judged one by one at the same operating point.
"""

import argparse
import csv
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.analysis.main_face import main_face
from facerec.assembly import build_analyzer
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import NewTemplate
from facerec.monitor_assembly import MonitorMaker
from facerec.settings import load_settings
from facerec.video.frame import Frame
from facerec.video.source import open_source

Image = NDArray[np.uint8]
Names = dict[tuple[int, int], set[str]]
SHOWN_FROM = datetime(2026, 1, 1, tzinfo=UTC)
FPS = 15.0
PART_FRAMES = 27
STILLS = (0.1, 0.5, 0.9)


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


@dataclass
class Tally:
    """What came of all visits.

    A name is wrong when it was told in that visit; one that was told before, and shown on somebody
    else until the track was found to show another face, has outlived a cut.
    """

    visits: int = 0
    right: int = 0
    wrong: int = 0
    missed: int = 0
    strangers: int = 0
    strangers_named: int = 0
    outlived: int = 0
    by_trouble: dict[str, list[int]] = field(default_factory=dict)

    def add(
        self, trouble: str, person: str, enrolled: bool, told: set[str], shown: set[str]
    ) -> None:
        self.outlived += bool(shown - told - {person})
        names = told | (shown & {person})
        if not enrolled:
            self.strangers += 1
            self.strangers_named += bool(names)
            return
        self.visits += 1
        right_of_all = self.by_trouble.setdefault(trouble, [0, 0])
        right_of_all[0] += names == {person}
        right_of_all[1] += 1
        self.right += names == {person}
        self.wrong += bool(names - {person})
        self.missed += not names


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


def enrol(gallery: Gallery, clips: list[Clip], people: list[str], analyzer: FaceAnalyzer) -> None:
    for person in people:
        first = next(clip for clip in clips if clip.person == person)
        looks = []
        for share in STILLS:
            image = first.frames[int(share * (len(first.frames) - 1))]
            faces = analyzer.detect(image)
            index = main_face(faces, image.shape)
            if index is None:
                continue
            face = analyzer.embed(image, faces[np.array([index])])
            quality = float(face.quality.overall[0])
            space = analyzer.embedding_space
            looks.append(NewTemplate(face.embeddings[0], space, quality, first.name))
        gallery.enrol(person, looks, galleries=["default"])


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


def named_by_tracks(maker: MonitorMaker, parts: list[Part]) -> tuple[Names, Names, list[float]]:
    """Play the film through a monitor.

    Returns:
        The names that were told of each part's left and right person, those that were shown on
        them, and the times to decision.
    """
    monitor = maker.monitor("film", ["default"])
    latencies: list[float] = []
    told: Names = defaultdict(set)
    shown: Names = defaultdict(set)
    for frame in film(parts):
        observation = monitor.observe(frame)
        at = frame.index // PART_FRAMES
        for decision in observation.decisions:
            if decision.name is not None:
                latencies.append(decision.verdict.latency_s)
                told[at, side_of(parts[at], decision.box_xyxy_px)].add(decision.name)
        for view in observation.tracks if observation.searched else ():
            if view.name is not None:
                shown[at, side_of(parts[at], view.box_xyxy_px)].add(view.name)
    return told, shown, latencies


def side_of(part: Part, box_xyxy_px: Sequence[float] | NDArray[np.float32]) -> int:
    """0 for the left of two people, 1 for the right one."""
    return int((float(box_xyxy_px[0]) + float(box_xyxy_px[2])) / 2 > part.split_px)


@dataclass
class Frames:
    """What judging frame by frame gave.

    `flicker` counts changes of the answer between two successive frames of the same face.
    """

    faces: int = 0
    wrong: int = 0
    unnamed: int = 0
    flicker: int = 0


def named_by_frames(
    maker: MonitorMaker, parts: list[Part], gallery: Gallery, enrolled: list[str]
) -> tuple[Names, Frames]:
    """Judge each face of each frame alone, at the same operating point."""
    names: Names = defaultdict(set)
    counts = Frames()
    for at, part in enumerate(parts):
        before: dict[int, str] = {}
        for image in part.frames:
            faces = maker.analyzer.embed(image, maker.analyzer.detect(image))
            found = maker.recognizer.identify(faces, gallery, ["default"])
            sides: dict[int, tuple[float, str]] = {}
            for box, decision in zip(faces.boxes_xyxy_px, found, strict=True):
                side = int(float(box[0] + box[2]) / 2 > part.split_px)
                name = gallery.get(decision.profile_id).name if decision.profile_id else ""
                area = float(np.prod(box[2:] - box[:2]))
                sides[side] = max(sides.get(side, (0.0, "")), (area, name))
                if name:
                    names[at, side].add(name)
                    counts.wrong += name != part.people[side]
            for side, (_, name) in sides.items():
                counts.faces += 1
                counts.unnamed += not name and part.people[side] in enrolled
                counts.flicker += side in before and before[side] != name
                before[side] = name
    return names, counts


def tallied(parts: list[Part], told: Names, shown: Names, enrolled: list[str]) -> Tally:
    tally = Tally()
    for at, part in enumerate(parts):
        for side, person in enumerate(part.people):
            names = told[at, side], shown[at, side]
            tally.add(part.trouble, person, person in enrolled, *names)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--people", type=int, help="people enrolled; all but one by default")
    parser.add_argument("--most", type=int, help="parts at most; all by default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    settings = load_settings(given.home)
    analyzer = build_analyzer(settings)
    clips = read_clips(given.clips, given.labels, analyzer)
    everybody = list(dict.fromkeys(clip.person for clip in clips))
    enrolled = everybody[: given.people or len(everybody) - 1]
    parts = make_parts(clips, np.random.default_rng(given.seed))[: given.most]
    with (
        tempfile.TemporaryDirectory() as scratch,
        Gallery.open(Path(scratch) / "gallery.db") as gallery,
    ):
        enrol(gallery, clips, enrolled, analyzer)
        maker = MonitorMaker.of(settings, gallery, analyzer)
        told, shown, latencies = named_by_tracks(maker, parts)
        by_frames, frames = named_by_frames(maker, parts, gallery, enrolled)
    record = {
        "seconds": len(parts) * PART_FRAMES / FPS,
        "parts": len(parts),
        "evidence": asdict(tallied(parts, told, shown, enrolled)),
        "time_to_decision_s_p50": float(np.median(latencies)) if latencies else None,
        "frame_by_frame": asdict(tallied(parts, by_frames, by_frames, enrolled)),
        "frames": asdict(frames),
    }
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
