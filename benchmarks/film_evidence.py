"""A long film of known people under trouble: named by evidence over tracks, and frame by frame.

    .venv/bin/python benchmarks/film_evidence.py CLIPS LABELS.csv [--people N] [--home HOME]

Parts of the clips follow each other in random order with cuts between them: as they are, blurred,
darkened, partly covered, smaller, and two people side by side. All but one of the people are
enrolled, from three stills of their first clip, unless --people says otherwise. Each visit is one
person in one part; the same frames are then judged one by one at the same operating point.
"""

import argparse
import json
import tempfile
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from gate_film import FPS, PART_FRAMES, Clip, Part, film, make_parts, read_clips, side_of

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.analysis.main_face import main_face
from facerec.assembly import build_analyzer
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import NewTemplate
from facerec.monitor_assembly import MonitorMaker
from facerec.settings import load_settings

Names = dict[tuple[int, int], set[str]]
STILLS = (0.1, 0.5, 0.9)


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
        for view in observation.tracks:
            if view.name is not None:
                shown[at, side_of(parts[at], view.box_xyxy_px)].add(view.name)
    return told, shown, latencies


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
