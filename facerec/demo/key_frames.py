"""The moments of a film that are worth showing on one page."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.decision.decision import Outcome
from facerec.video.annotation import annotate
from facerec.video.monitor import Observation, TrackDecision

__all__ = ["KeyFrame", "KeyFrames"]


@dataclass(frozen=True, eq=False)
class KeyFrame:
    """One annotated frame and what happened in it.

    Attributes:
        image_bgr: uint8 (height, width, 3), annotated.
        clock_s: When, on the film's clock.
        title: What happened.
        detail: More about it.
        outcome: Of the decision that was made here; None where none was.
    """

    image_bgr: NDArray[np.uint8]
    clock_s: float
    title: str
    detail: str
    outcome: Outcome | None


_CALM_S = 0.9
"""Least time between what happened and a frame that shows how things stand."""
_LONG_S = 2.2
"""Time without news after which a frame shows that nothing changed."""


class KeyFrames:
    """Collects a few frames while a source is watched: each decision, and how things stand."""

    def __init__(self, camera: str, *, at_most: int) -> None:
        """Begin with none.

        Args:
            camera: Name to show on the frames.
            at_most: How many frames to keep.
        """
        self._camera = camera
        self._at_most = at_most
        self._kept: list[KeyFrame] = []
        self._known_together = 1

    def see(self, observation: Observation) -> None:
        """Look at the next frame."""
        if len(self._kept) >= self._at_most:
            return
        known = _decided(observation)
        quiet_s = observation.frame.clock_s - (self._kept[-1].clock_s if self._kept else 0.0)
        for decision in observation.decisions:
            if any(track.track_id == decision.track_id for track in observation.tracks):
                self._keep(observation, *_words(decision), decision.verdict.decision.outcome)
        if observation.decisions or not observation.tracks:
            return
        if not self._kept and any(track.evidence.frames for track in observation.tracks):
            detail = "A first look at the face: no evidence yet."
            self._keep(observation, "Somebody comes into sight", detail, None)
        elif known > self._known_together and quiet_s >= _CALM_S:
            self._known_together = known
            detail = "Each face has a track; decided ones are embedded no more."
            self._keep(observation, f"{known} people at once", detail, None)
        elif known and quiet_s >= _LONG_S:
            detail = "Whatever light and lens do, a track keeps its answer."
            self._keep(observation, "Named once, then followed", detail, None)

    def frames(self) -> tuple[KeyFrame, ...]:
        """Return what was kept, in order of time."""
        return tuple(self._kept)

    def _keep(
        self, observation: Observation, title: str, detail: str, outcome: Outcome | None
    ) -> None:
        image = annotate(observation, camera=self._camera)
        self._kept.append(KeyFrame(image, observation.frame.clock_s, title, detail, outcome))


def _decided(observation: Observation) -> int:
    """Count the faces of a frame that have been decided about."""
    return sum(
        track.evidence.verdict is not None and track.evidence.window is None
        for track in observation.tracks
    )


def _words(told: TrackDecision) -> tuple[str, str]:
    """Say of a decision in two lines what it was."""
    verdict = told.verdict
    found = verdict.decision
    after = f"after {verdict.latency_s:.2f} s and {verdict.frames} looks"
    score = "nobody to compare with"
    if found.similarity is not None:
        sign = "at least" if found.similarity >= found.threshold else "below"
        score = f"similarity {found.similarity:.2f}, {sign} the {found.threshold:.2f} asked for"
    if found.outcome is Outcome.IDENTIFIED:
        return f"{told.name} is identified", f"{score}; {after}"
    if found.outcome is Outcome.UNKNOWN:
        return "A stranger: nobody is named", f"{score}; {after}"
    return "Undecided", f"{', '.join(found.reasons)}; {after}"
