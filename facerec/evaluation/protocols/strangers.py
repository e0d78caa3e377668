"""Strangers protocol: people nobody enrolled stand a second before the camera."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.faces import Faces
from facerec.decision.decision import Outcome
from facerec.evaluation.metrics.rate_of_events import CountedRate
from facerec.evaluation.protocols.still_track import StillMotion, still_track
from facerec.video.monitor import Analyzer, Monitor
from facerec.video.observation import TrackDecision

__all__ = ["OneFrameMemo", "StrangerVisit", "StrangersResult", "watch_visit"]


@dataclass(frozen=True)
class StrangerVisit:
    """What came of one person's second before the camera, at one target.

    Attributes:
        person: Name of the folder.
        target_fpir: Rate that was decided at.
        outcomes: Of all tracks of the visit, in order; empty when no face was seen.
        named: Whether any track was named.
        enrolled: Whether the person was enrolled, so that a name is right or wrong.
        right: Whether a track was named as that person.
        frames: Usable frames of the first decision.
        latency_s: From first sight to the first decision; None without one.
    """

    person: str
    target_fpir: float
    outcomes: tuple[str, ...]
    named: bool
    enrolled: bool
    right: bool
    frames: int
    latency_s: float | None

    @classmethod
    def unseen(cls, person: str, target_fpir: float, *, enrolled: bool) -> "StrangerVisit":
        """Return the visit of somebody whose picture cannot be read: a failure to acquire."""
        return cls(person, target_fpir, (), False, enrolled, False, 0, None)


@dataclass(frozen=True)
class StrangersResult:
    """All visits at all targets.

    Attributes:
        visits: They.
        people: Number of people enrolled.
        templates_each: Pictures enrolled of each.
    """

    visits: tuple[StrangerVisit, ...]
    people: int
    templates_each: int

    def fpir(self, target: float) -> CountedRate:
        """Return how many strangers' visits named anybody; the faceless ones count as none."""
        visits = [v for v in self.visits if v.target_fpir == target and not v.enrolled]
        return CountedRate(sum(visit.named for visit in visits), len(visits), target)

    def mated(self, target: float) -> tuple[int, int, int]:
        """Return how many visits of enrolled people were named rightly, wrongly, and not."""
        visits = [v for v in self.visits if v.target_fpir == target and v.enrolled]
        right = sum(visit.right for visit in visits)
        wrong = sum(visit.named and not visit.right for visit in visits)
        return right, wrong, len(visits) - right - wrong


class OneFrameMemo:
    """An `Analyzer` that several monitors ask about the same frame, and that looks once.

    Not for several threads.
    """

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer
        self._image: NDArray[np.uint8] | None = None
        self._found: dict[int, Faces] = {}
        self._embedded: dict[bytes, Faces] = {}

    def detect(self, image: NDArray[np.uint8], least_px: int = 0) -> Faces:
        """Find and assess the faces of an image (height, width, 3), BGR."""
        if image is not self._image:
            self._image = image
            self._found.clear()
            self._embedded.clear()
        if least_px not in self._found:
            self._found[least_px] = self._analyzer.detect(image, least_px)
        return self._found[least_px]

    def embed(self, image: NDArray[np.uint8], faces: Faces) -> Faces:
        """Return the same faces with their embeddings."""
        key = faces.boxes_xyxy_px.tobytes()
        if image is not self._image or key not in self._embedded:
            self._embedded[key] = self._analyzer.embed(image, faces)
        return self._embedded[key]


def watch_visit(
    picture_bgr: NDArray[np.uint8],
    monitors: Iterable[tuple[float, Monitor]],
    *,
    person: str,
    enrolled: bool,
    seed: int,
    tell: Callable[[StrangerVisit], None],
) -> None:
    """Show a photograph as a 1-second track to monitors that have seen nothing.

    Args:
        picture_bgr: uint8 (height, width, 3).
        monitors: Each with the rate that it decides at.
        person: Name of who it shows, which is the display name of those enrolled.
        enrolled: Whether they are.
        seed: Of the motion.
        tell: Called once a monitor.
    """
    watching = tuple((target, monitor, list[TrackDecision]()) for target, monitor in monitors)
    for frame in still_track(picture_bgr, StillMotion(), seed=seed):
        for _, monitor, decisions in watching:
            decisions += monitor.observe(frame).decisions
    for target, monitor, decisions in watching:
        decisions += monitor.finish()
        names = {d.name for d in decisions if d.verdict.decision.outcome is Outcome.IDENTIFIED}
        first = decisions[0].verdict if decisions else None
        tell(
            StrangerVisit(
                person,
                target,
                tuple(d.verdict.decision.outcome.value for d in decisions),
                bool(names),
                enrolled,
                person in names,
                0 if first is None else first.frames,
                None if first is None else first.latency_s,
            )
        )
