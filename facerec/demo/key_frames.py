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


class KeyFrames:
    """Collects a few frames while a source is watched: each decision, and the way there."""

    def __init__(self, camera: str, *, at_most: int) -> None:
        """Begin with none.

        Args:
            camera: Name to show on the frames.
            at_most: How many frames to keep, besides those before the first decision.
        """
        self._camera = camera
        self._at_most = at_most
        self._kept: list[KeyFrame] = []
        self._known_together = 1

    def see(self, observation: Observation) -> None:
        """Look at the next frame."""
        if len(self._kept) >= self._at_most:
            return
        if observation.decisions:
            for decision in observation.decisions:
                if any(track.track_id == decision.track_id for track in observation.tracks):
                    self._keep(observation, *_words(decision), decision.verdict.decision.outcome)
        elif not self._kept and any(track.evidence.frames for track in observation.tracks):
            detail = "The face is fit for comparison; one look is no evidence yet."
            self._keep(observation, "Somebody comes into sight", detail, None)
        elif (known := _decided(observation)) > self._known_together:
            self._known_together = known
            detail = "Each face has a track of its own; decided ones cost no more embedding."
            self._keep(observation, f"{known} people at once", detail, None)

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
