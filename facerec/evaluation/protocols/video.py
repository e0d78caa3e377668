"""Video protocol: people enrolled from one clip are looked for in their others."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facerec.errors import EvaluationError
from facerec.evaluation.metrics.bootstrap import Interval
from facerec.evaluation.metrics.track_intervals import share_interval
from facerec.video.monitor import Monitor, Observation, TrackDecision
from facerec.video.open_source import open_source

__all__ = ["ClipTrack", "LabelledClip", "VideoResult", "read_clips", "watch_clip"]


@dataclass(frozen=True)
class LabelledClip:
    """A clip and the person in front of its camera.

    Attributes:
        path: The video.
        person: Who is in front.
    """

    path: Path
    person: str


@dataclass(frozen=True)
class ClipTrack:
    """One followed face of a clip.

    Attributes:
        clip: Name of the clip.
        person: The person in front in that clip; None for somebody else, a bystander.
        enrolled: Whether that person was enrolled in this pass.
        named: Who the track was named as; None for nobody.
        latency_s: From first sight to the decision, seconds; None when nobody was named.
        frames: Frames in which the face was seen.
    """

    clip: str
    person: str | None
    enrolled: bool
    named: str | None
    latency_s: float | None
    frames: int


@dataclass(frozen=True, eq=False)
class VideoResult:
    """All followed faces.

    Attributes:
        tracks: They.
        clips: Number of clips watched, each pass counted.
        failed_clips: Clips in which no face was followed at all (failures to acquire).
    """

    tracks: tuple[ClipTrack, ...]
    clips: int
    failed_clips: int

    def _mated(self) -> list[ClipTrack]:
        return [track for track in self.tracks if track.person is not None and track.enrolled]

    @property
    def right(self) -> int:
        """Tracks of enrolled people named rightly."""
        return sum(track.named == track.person for track in self._mated())

    @property
    def wrong(self) -> int:
        """Tracks named as somebody else: enrolled people, strangers and bystanders alike."""
        return sum(self._is_wrong(track) for track in self.tracks)

    @staticmethod
    def _is_wrong(track: ClipTrack) -> bool:
        return track.named is not None and not (track.enrolled and track.named == track.person)

    @property
    def missed(self) -> int:
        """Tracks of enrolled people that nobody was named for."""
        return sum(track.named is None for track in self._mated())

    @property
    def strangers(self) -> int:
        """Tracks of people who were not enrolled, bystanders included."""
        return len(self.tracks) - len(self._mated())

    def intervals(self) -> dict[str, Interval]:
        """Return 95 % intervals, over people, of the shares of tracks named rightly and wrongly.

        ``"right"`` is of the tracks of enrolled people, ``"wrong"`` of all tracks; a bystander
        counts as a person of the clip.
        """
        mated = self._mated()
        right = [track.named == track.person for track in mated]
        wrong = [self._is_wrong(track) for track in self.tracks]
        made = {
            "right": share_interval(right, [str(track.person) for track in mated]),
            "wrong": share_interval(wrong, [t.person or f"beside {t.clip}" for t in self.tracks]),
        }
        return {name: interval for name, interval in made.items() if interval is not None}

    def latencies_s(self) -> NDArray[np.float64]:
        """Return the times to decision of tracks named rightly, seconds."""
        return np.array(
            [
                track.latency_s
                for track in self._mated()
                if track.named == track.person and track.latency_s is not None
            ],
            np.float64,
        )


def read_clips(folder: Path, labels: Path) -> tuple[LabelledClip, ...]:
    """Read a CSV file with the columns ``clip`` and ``person``.

    Raises:
        EvaluationError: it cannot be read, lacks a column, or names a clip that is not there.
    """
    try:
        with labels.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EvaluationError(f"the labels file {labels} cannot be read as CSV: {error}") from error
    if not rows or not {"clip", "person"} <= set(rows[0]):
        raise EvaluationError(f"{labels}, line 1: must name the columns clip and person")
    clips = []
    for number, row in enumerate(rows, start=2):
        clip, person = row["clip"], row["person"]
        if not clip or not person:
            raise EvaluationError(f"{labels}, line {number}: must have a clip and a person")
        if not (folder / clip).is_file():
            raise EvaluationError(f"{labels}, line {number}: there is no clip {clip} in {folder}")
        clips.append(LabelledClip(folder / clip, person))
    return tuple(clips)


def watch_clip(
    clip: LabelledClip,
    monitor: Monitor,
    *,
    enrolled: bool,
    advance: Callable[[], None],
) -> tuple[ClipTrack, ...]:
    """Watch a clip to its end and judge its tracks.

    The person in front is the track whose face is the largest, summed over frames; others in the
    picture at the same time are bystanders. A later track that never overlaps the front one in
    time is taken as the same person, whom the tracker lost and found again.

    Args:
        clip: The clip.
        monitor: A fresh monitor.
        enrolled: Whether the person in front is enrolled in what the monitor searches.
        advance: Told of each frame.
    """
    seen = _Seen()
    with open_source(str(clip.path)) as source:
        for frame in source:
            seen.add(monitor.observe(frame))
            advance()
    for decision in monitor.finish():
        seen.keep(decision)
    return seen.judged(clip, enrolled=enrolled)


@dataclass
class _Seen:
    """What was seen of each track of a clip: summed area, frames, and what was told of it."""

    areas_px: dict[int, float] = field(default_factory=dict)
    frames: dict[int, list[int]] = field(default_factory=dict)
    told: dict[int, TrackDecision] = field(default_factory=dict)

    def add(self, observation: Observation) -> None:
        """Take in a frame."""
        for view in observation.tracks:
            sides = view.box_xyxy_px[2:] - view.box_xyxy_px[:2]
            area_px = self.areas_px.get(view.track_id, 0.0) + float(np.prod(sides))
            self.areas_px[view.track_id] = area_px
            self.frames.setdefault(view.track_id, []).append(observation.frame.index)
        for decision in observation.decisions:
            self.keep(decision)

    def keep(self, decision: TrackDecision) -> None:
        """Keep a track's naming over a later or earlier verdict that names nobody."""
        if decision.track_id not in self.told or decision.name is not None:
            self.told[decision.track_id] = decision

    def judged(self, clip: LabelledClip, *, enrolled: bool) -> tuple[ClipTrack, ...]:
        """Say whose each track is, and what it was named."""
        if not self.areas_px:
            return ()
        front = max(self.areas_px, key=self.areas_px.__getitem__)
        beside = set(self.frames[front])
        tracks = []
        for track_id, frames in self.frames.items():
            is_front = track_id == front or not beside & set(frames)
            told = self.told.get(track_id)
            named = None if told is None else told.name
            tracks.append(
                ClipTrack(
                    clip.path.name,
                    clip.person if is_front else None,
                    enrolled and is_front,
                    named,
                    told.verdict.latency_s if told is not None and named is not None else None,
                    len(frames),
                )
            )
        return tuple(tracks)
