"""Our tracker beside those of libraries, on the same faces of the gate clips.

    .venv/bin/python benchmarks/tracker_comparison.py CLIPS LABELS.csv [--libraries SITE_PACKAGES]

Compares what is installed: Roboflow's `trackers` (ByteTrack and SORT) and `norfair`. Keep them out
of the project's environment: make another with ``python -m venv``, install them there, and name its
site-packages with --libraries; its packages come last, so that none of ours is replaced.

The faces are found once. Scenes are the clips, the parts of the film of `film_evidence.py`, and two
people who walk past each other, one behind the other. Every tracker sees every frame, and again
every second and fourth one, as a monitor does that searches less often.
"""

import argparse
import importlib.util
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from gate_film import FPS, PART_FRAMES, Clip, Image, half, make_parts, read_clips, side_of, stretch
from numpy.typing import NDArray

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.assembly import build_analyzer
from facerec.settings import load_settings
from facerec.video.overlap_tracker import OverlapTracker

CLIP_FPS = 30.0
FORGET_AFTER_S = 1.0
BESIDE = "beside"


@dataclass(frozen=True)
class Seen:
    """The faces of one frame: boxes (n, 4), scores (n,), and who each is."""

    clock_s: float
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    who: tuple[str, ...]


@dataclass(frozen=True)
class Scene:
    kind: str
    fps: float
    frames: tuple[Seen, ...]


class Candidate(Protocol):
    def track(self, seen: Seen) -> list[int]:
        """Return a number for each box; -1 for none."""
        ...


class Ours:
    def __init__(self, fps: float) -> None:
        self._tracker = OverlapTracker(forget_after_s=FORGET_AFTER_S)

    def track(self, seen: Seen) -> list[int]:
        return self._tracker.update(seen.boxes, seen.clock_s).track_ids.tolist()


class Roboflow:
    """ByteTrack or SORT of `trackers`, with thresholds that leave no detection out."""

    def __init__(self, kind: str, fps: float) -> None:
        import trackers

        make = {"bytetrack": trackers.ByteTrackTracker, "sort": trackers.SORTTracker}[kind]
        self._tracker = make(
            lost_track_buffer=round(30 * FORGET_AFTER_S),
            frame_rate=fps,
            track_activation_threshold=0.5,
            minimum_consecutive_frames=1,
        )

    def track(self, seen: Seen) -> list[int]:
        import supervision

        found = self._tracker.update(
            supervision.Detections(
                xyxy=seen.boxes,
                confidence=seen.scores,
                class_id=np.arange(len(seen.boxes)),  # they come back in another order
            )
        )
        numbers = [-1] * len(seen.boxes)
        if len(found) and found.class_id is not None and found.tracker_id is not None:
            for at, number in zip(found.class_id, found.tracker_id, strict=True):
                numbers[int(at)] = int(number)
        return numbers


class Norfair:
    """Corners of boxes, paired by their overlap."""

    def __init__(self, fps: float) -> None:
        import norfair

        self._tracker = norfair.Tracker(
            distance_function="iou",
            distance_threshold=0.9,
            initialization_delay=0,
            hit_counter_max=max(2, round(fps * FORGET_AFTER_S)),
        )

    def track(self, seen: Seen) -> list[int]:
        import norfair

        given = [
            norfair.Detection(box.reshape(2, 2).astype(float), data=at)
            for at, box in enumerate(seen.boxes)
        ]
        numbers = [-1] * len(given)
        for held in self._tracker.update(given):
            if any(held.last_detection is each for each in given):
                numbers[held.last_detection.data] = int(held.id)
        return numbers


def candidates() -> dict[str, Callable[[float], Candidate]]:
    found: dict[str, Callable[[float], Candidate]] = {"ours": Ours}
    if importlib.util.find_spec("trackers"):
        found["ByteTrack (trackers)"] = lambda fps: Roboflow("bytetrack", fps)
        found["SORT (trackers)"] = lambda fps: Roboflow("sort", fps)
    if importlib.util.find_spec("norfair"):
        found["norfair"] = Norfair
    return found


@dataclass
class Score:
    """What a tracker made of scenes.

    A visit is a person in a scene who is followed, not one who stands beside them; it breaks with
    each further number that it is given. A track is mixed that shows more than one person.
    `unnumbered` boxes were given none.
    """

    visits: int = 0
    breaks: int = 0
    tracks: int = 0
    mixed: int = 0
    boxes: int = 0
    unnumbered: int = 0

    def add(self, numbers: Sequence[Sequence[int]], scene: Sequence[Seen]) -> None:
        of_person: dict[str, set[int]] = defaultdict(set)
        in_track: dict[int, set[str]] = defaultdict(set)
        for given, seen in zip(numbers, scene, strict=True):
            for number, who in zip(given, seen.who, strict=True):
                self.boxes += 1
                self.unnumbered += number < 0
                if number >= 0:
                    of_person[who].add(number)
                    in_track[number].add(who)
        followed = [each for who, each in of_person.items() if who != BESIDE]
        self.visits += len(followed)
        self.breaks += sum(len(each) - 1 for each in followed)
        self.tracks += len(in_track)
        self.mixed += sum(len(each) > 1 for each in in_track.values())


def look(
    analyzer: FaceAnalyzer,
    images: Sequence[Image],
    fps: float,
    who: Callable[[int, NDArray[np.float32]], list[str]],
) -> tuple[Seen, ...]:
    """Find the faces of a scene; `who` says whose the boxes of its n-th frame are."""
    seen = []
    for number, image in enumerate(images):
        faces = analyzer.detect(image)
        boxes = faces.boxes_xyxy_px
        names = tuple(who(number, boxes))
        seen.append(Seen(number / fps, boxes, faces.detection_scores, names))
    return tuple(seen)


def largest_is(
    people: Sequence[str], side: Callable[[NDArray[np.float32]], int]
) -> Callable[[int, NDArray[np.float32]], list[str]]:
    """The largest face of each side is the person there; others stand beside them."""

    def who(_: int, boxes: NDArray[np.float32]) -> list[str]:
        names = [BESIDE] * len(boxes)
        taken: set[int] = set()
        for at in np.argsort([-float(np.prod(box[2:] - box[:2])) for box in boxes]):
            at_side = side(boxes[at])
            if at_side not in taken:
                taken.add(at_side)
                names[at] = people[at_side]
        return names

    return who


def crossing(first: Clip, second: Clip, rng: np.random.Generator) -> tuple[list[Image], Any]:
    """Two people walk past each other, `second` before `first`."""
    images: list[Image] = []
    middles: list[tuple[float, float]] = []
    for number, (a, b) in enumerate(zip(stretch(first, rng), stretch(second, rng), strict=True)):
        width = a.shape[1]
        shown = np.full_like(a, 120)
        way = round(width / 2 * number / (PART_FRAMES - 1))
        offsets = way, width // 2 - way
        for image, clip, left in ((a, first, offsets[0]), (b, second, offsets[1])):
            shown[:, left : left + width // 2] = half(image, clip.middle_px)
        images.append(shown)
        middles.append((offsets[0] + width / 4, offsets[1] + width / 4))

    def who(number: int, boxes: NDArray[np.float32]) -> list[str]:
        names = [BESIDE] * len(boxes)
        behind, before = middles[number]
        for middle, person in ((behind, first.person), (before, second.person)):
            away = [abs(float(box[0] + box[2]) / 2 - middle) for box in boxes]
            if away and min(away) < 60:
                names[int(np.argmin(away))] = person  # who is before hides who is behind
        return names

    return images, who


def scenes(clips: list[Clip], analyzer: FaceAnalyzer, most: int | None, seed: int) -> list[Scene]:
    rng = np.random.default_rng(seed)
    found = []
    for clip in clips:
        who = largest_is((clip.person,), lambda _: 0)
        found.append(Scene("clips", CLIP_FPS, look(analyzer, clip.frames, CLIP_FPS, who)))
    for part in make_parts(clips, rng)[:most]:
        who = largest_is(part.people, lambda box, part=part: side_of(part, box))  # type: ignore[misc]
        found.append(Scene("film", FPS, look(analyzer, part.frames, FPS, who)))
    for first, second in zip(clips, clips[2:] + clips[:2], strict=True):
        if first.person != second.person:
            images, who = crossing(first, second, rng)
            found.append(Scene("crossing", FPS, look(analyzer, images, FPS, who)))
    return found


def rows(given: Sequence[Scene]) -> Iterator[dict[str, Any]]:
    """Run every tracker over every kind of scene, every `step` frames."""
    found = candidates()
    for kind in dict.fromkeys(scene.kind for scene in given):
        for step in (1, 2, 4):
            scores = {name: Score() for name in found}
            times_s: dict[str, list[float]] = defaultdict(list)
            for scene in (scene for scene in given if scene.kind == kind):
                frames = scene.frames[::step]
                for name, make in found.items():  # in turn, so that all share the machine's moods
                    tracker = make(scene.fps / step)
                    numbers = []
                    for seen in frames:
                        began_s = perf_counter()
                        numbers.append(tracker.track(seen))
                        times_s[name].append(perf_counter() - began_s)
                    scores[name].add(numbers, frames)
            for name, score in scores.items():
                median_us = round(float(np.median(times_s[name])) * 1e6)
                times = {"frame_us_p50": median_us}
                yield {"scenes": kind, "every": step, "tracker": name, **asdict(score), **times}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--libraries", type=Path, help="site-packages of another environment")
    parser.add_argument("--most", type=int, help="parts of the film at most; all by default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    if given.libraries is not None:
        sys.path.append(str(given.libraries))
    analyzer = build_analyzer(load_settings(given.home))
    clips = read_clips(given.clips, given.labels, analyzer)
    for row in rows(scenes(clips, analyzer, given.most, given.seed)):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
