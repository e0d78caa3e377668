"""A film of boxes and embeddings instead of pixels, for the ports of the monitor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.faces import FaceQuality, Faces
from facerec.decision.decision import Decision, Outcome, Reason
from facerec.video.continuity import ContinuityRules
from facerec.video.detection_pace import DetectionPace
from facerec.video.evidence import EvidenceRules, FusedProbe
from facerec.video.frame import Frame
from facerec.video.identifier import Identified
from facerec.video.monitor import Monitor, Observation, TrackDecision
from facerec.video.monitor_rules import MonitorRules
from facerec.video.overlap_tracker import OverlapTracker

RULES = EvidenceRules(decide_after_frames=3, stranger_after_s=1.0, look_every_s=0.1)
FPS = 25
OPENED = datetime(2026, 5, 1, 12, tzinfo=UTC)
VECTORS = {
    "ada": np.array([1, 0, 0], np.float32),
    "bob": np.array([0, 1, 0], np.float32),
    "stranger": np.array([0, 0, 1], np.float32),
}
THRESHOLD = 0.5


@dataclass(frozen=True)
class Shown:
    """A face of one frame: who it is, where its middle is, and how good it looks."""

    who: str
    x: float
    quality: float = 0.8
    blurred: bool = False


Script = Callable[[int], Sequence[Shown]]
Paint = Callable[[NDArray[np.uint8], int], None]


@dataclass
class ScriptedAnalyzer:
    """Finds the faces that a script says; the frame's first pixel tells its number."""

    script: Script
    embedded: list[str] = field(default_factory=list)
    batches: int = 0
    searched_from_px: list[int] = field(default_factory=list)

    def detect(self, image: NDArray[np.uint8], least_px: int = 0) -> Faces:
        self.searched_from_px.append(least_px)
        shown = self.script(_number(image))
        n = len(shown)
        boxes = [[s.x - 30, 70, s.x + 30, 130] for s in shown]
        overall = np.array([s.quality for s in shown], np.float32)
        good = np.ones(n, np.float32)
        sharpness = np.array([0.0 if s.blurred else 1.0 for s in shown], np.float32)
        quality = FaceQuality(overall, good, sharpness, good, good, good, good)
        return Faces(
            boxes_xyxy_px=np.array(boxes, np.float32).reshape(n, 4),
            detection_scores=good,
            landmarks_px=np.zeros((n, 5, 2), np.float32),
            quality=quality,
        )

    def embed(self, image: NDArray[np.uint8], faces: Faces) -> Faces:
        middles = faces.boxes_xyxy_px[:, [0, 2]].mean(axis=1)
        shown = self.script(_number(image))
        who = [min(shown, key=lambda s: abs(s.x - middle)).who for middle in middles]
        self.embedded += who
        self.batches += 1
        return replace(faces, embeddings=np.stack([VECTORS[name] for name in who]))


class ScriptedIdentifier:
    """Knows Ada and Bob by their vectors."""

    def undecided(self, reasons: tuple[Reason, ...]) -> Decision:
        return Decision(Outcome.UNDECIDED, None, None, THRESHOLD, None, reasons, "scripted")

    def nearest(self, probe: NDArray[np.float32]) -> str | None:
        return max(("ada", "bob"), key=lambda name: float(VECTORS[name] @ probe))

    def identify(self, probe: FusedProbe) -> Identified:
        nearest = self.nearest(probe.direction)
        assert nearest is not None
        similarity = float(VECTORS[nearest] @ probe.direction) * probe.coherence
        if similarity < THRESHOLD:
            reasons = (Reason.BELOW_THRESHOLD,)
            return Identified(Decision(Outcome.UNKNOWN, None, similarity, THRESHOLD, 0.0, reasons))
        return Identified(Decision(Outcome.IDENTIFIED, nearest, similarity, THRESHOLD, 0.5, ()))

    def name_of(self, profile_id: str) -> str:
        return profile_id.capitalize()


@dataclass(frozen=True)
class Played:
    """What a monitor made of a script."""

    observations: tuple[Observation, ...]
    last: tuple[TrackDecision, ...]
    analyzer: ScriptedAnalyzer

    @property
    def decisions(self) -> list[TrackDecision]:
        return [d for o in self.observations for d in o.decisions] + list(self.last)


def scripted_monitor(
    script: Script, continuity: ContinuityRules | None, pace: DetectionPace
) -> tuple[ScriptedAnalyzer, Monitor]:
    """Make a monitor that sees a script, and what lets it see."""
    analyzer = ScriptedAnalyzer(script)
    tracker = OverlapTracker(forget_after_s=1.0)
    rules = MonitorRules(RULES, 0.2, continuity, pace)
    return analyzer, Monitor(analyzer, tracker, ScriptedIdentifier(), rules, camera="gate")


def play(
    script: Script,
    frames: int,
    *,
    continuity: ContinuityRules | None = None,
    pace: DetectionPace | None = None,
    cut_at: int | None = None,
    paint: Paint = lambda image, number: None,
) -> Played:
    """Play a script of so many frames through a monitor.

    The whole picture changes at `cut_at`; `paint` draws on the picture of a number.
    """
    analyzer, monitor = scripted_monitor(script, continuity, pace or DetectionPace(0, 0, 0))
    observations = tuple(
        monitor.observe(frame(number, cut_at=cut_at, paint=paint)) for number in range(frames)
    )
    return Played(observations, monitor.finish(), analyzer)


def frame(
    number: int, *, cut_at: int | None = None, paint: Paint = lambda image, number: None
) -> Frame:
    image = np.zeros((200, 640, 3), np.uint8)
    paint(image, number)
    if cut_at is not None and number >= cut_at:
        image[:, ::32] = image[:, 16::64] = 255
    image[0, 0] = number % 256, number // 256, 0
    clock_s = number / FPS
    return Frame(image, OPENED + timedelta(seconds=clock_s), number, clock_s)


def _number(image: NDArray[np.uint8]) -> int:
    return int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])
