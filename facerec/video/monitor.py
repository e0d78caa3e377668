"""Recognising people in the frames of one camera: detect, follow, gather evidence, decide once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.faces import Faces
from facerec.decision.decision import Outcome, Reason
from facerec.decision.quality_gate import face_flaws
from facerec.errors import ArrayError
from facerec.video.evidence import EvidenceRules, TrackEvidence, Verdict
from facerec.video.frame import Frame
from facerec.video.identifier import Identifier
from facerec.video.tracker import Tracker

__all__ = ["Analyzer", "Monitor", "Observation", "TrackDecision", "TrackView"]


class Analyzer(Protocol):
    """What the monitor needs of `facerec.analysis.FaceAnalyzer`; safe to share between cameras."""

    def detect(self, image: NDArray[np.uint8]) -> Faces:
        """Find and assess the faces of an image (height, width, 3), BGR."""
        ...

    def embed(self, image: NDArray[np.uint8], faces: Faces) -> Faces:
        """Return the same faces with their embeddings."""
        ...


@dataclass(frozen=True)
class TrackDecision:
    """A verdict about one track, ready to be told.

    Attributes:
        camera: Name of the camera.
        track_id: Number of the track, unique within a camera's run.
        verdict: What was decided.
        name: Display name of the person; None for a stranger and while undecided.
        first_seen: When the track's first frame was taken, UTC.
        decided: When the deciding frame was taken, UTC.
    """

    camera: str
    track_id: int
    verdict: Verdict
    name: str | None
    first_seen: datetime
    decided: datetime


@dataclass(frozen=True, eq=False)
class TrackView:
    """One face in one frame, as an annotation shows it.

    Attributes:
        track_id: Number of the track.
        box_xyxy_px: float32 (4,).
        quality: Overall quality of the face in this frame, 0..1.
        flaws: Why this face was not fit for comparison; empty when it was.
        evidence: The track's evidence after this frame.
        name: Display name of the person, once identified.
    """

    track_id: int
    box_xyxy_px: NDArray[np.float32]
    quality: float
    flaws: tuple[Reason, ...]
    evidence: TrackEvidence
    name: str | None


@dataclass(frozen=True, eq=False)
class Observation:
    """What one frame showed and what was decided at it.

    Attributes:
        frame: The frame.
        tracks: One entry a face in it.
        decisions: Tracks decided at this frame, tracks that ended undecided among them (but for
            those seen in fewer frames than a decision takes).
    """

    frame: Frame
    tracks: tuple[TrackView, ...]
    decisions: tuple[TrackDecision, ...]


@dataclass
class _Followed:
    """What the monitor keeps of a track while it lasts."""

    evidence: TrackEvidence
    first_seen: datetime
    last_seen: datetime
    last_seen_s: float
    sightings: int = 0
    name: str | None = None
    best_quality: float = -1.0
    flaws: tuple[Reason, ...] = ()


@dataclass(frozen=True, eq=False)
class _Sighting:
    """One face of the present frame, and the track that it belongs to.

    `face` is its index among the frame's faces; flaws make it unfit for comparison.
    """

    track_id: int
    face: int
    box_xyxy_px: NDArray[np.float32]
    quality: float
    flaws: tuple[Reason, ...]


class Monitor:
    """Recognises the people before one camera; feed it that camera's frames in order.

    A track is named at most once and never renamed. Faces are embedded only while a decision is
    open, so a decided track costs detection alone.
    """

    def __init__(
        self,
        analyzer: Analyzer,
        tracker: Tracker,
        identifier: Identifier,
        rules: EvidenceRules,
        *,
        min_quality: float,
        camera: str,
    ) -> None:
        """Begin with no tracks.

        Args:
            analyzer: Finds and embeds faces.
            tracker: This monitor's own.
            identifier: Answers probes.
            rules: When evidence is enough.
            min_quality: Faces of a lower overall quality are no evidence, 0..1.
            camera: Name that decisions carry.
        """
        self._analyzer = analyzer
        self._tracker = tracker
        self._identifier = identifier
        self._rules = rules
        self._min_quality = min_quality
        self._camera = camera
        self._followed: dict[int, _Followed] = {}

    def observe(self, frame: Frame) -> Observation:
        """Take in the next frame."""
        faces = self._analyzer.detect(frame.image_bgr)
        if faces.quality is None:
            raise ArrayError("the analyzer must assess the faces that it detects")
        update = self._tracker.update(faces.boxes_xyxy_px, frame.clock_s)
        ended = self._end(update.ended)
        sightings = tuple(
            _Sighting(
                int(track_id),
                index,
                faces.boxes_xyxy_px[index],
                float(faces.quality.overall[index]),
                face_flaws(faces, index, min_quality=self._min_quality),
            )
            for index, track_id in enumerate(update.track_ids)
        )
        for sighting in sightings:
            self._see(sighting, frame)
        decided = self._weigh(sightings, faces, frame)
        return Observation(frame, tuple(map(self._view, sightings)), (*ended, *decided))

    def finish(self) -> tuple[TrackDecision, ...]:
        """End every track, when the source is over; return the undecided ones."""
        return self._end(self._tracker.end_all())

    def _see(self, sighting: _Sighting, frame: Frame) -> None:
        """Note that a track was seen, and the flaws of its best face so far."""
        track = self._followed.get(sighting.track_id)
        if track is None:
            evidence = TrackEvidence(self._rules, frame.clock_s)
            track = _Followed(evidence, frame.captured, frame.captured, frame.clock_s)
            self._followed[sighting.track_id] = track
        track.last_seen, track.last_seen_s = frame.captured, frame.clock_s
        track.sightings += 1
        if sighting.quality > track.best_quality:
            track.best_quality, track.flaws = sighting.quality, sighting.flaws

    def _weigh(
        self, sightings: tuple[_Sighting, ...], faces: Faces, frame: Frame
    ) -> tuple[TrackDecision, ...]:
        """Embed the faces that can change a decision, and take them in."""
        wanted = [
            sighting
            for sighting in sightings
            if not sighting.flaws
            and self._followed[sighting.track_id].evidence.wants(sighting.quality, frame.clock_s)
        ]
        if not wanted:
            return ()
        chosen = np.array([sighting.face for sighting in wanted], np.intp)
        embeddings = self._analyzer.embed(frame.image_bgr, faces[chosen]).embeddings
        if embeddings is None:
            raise ArrayError("the analyzer must embed the faces that it is handed")
        told = [
            self._add(sighting.track_id, embedding, sighting.quality, frame)
            for sighting, embedding in zip(wanted, embeddings, strict=True)
        ]
        return tuple(decision for decision in told if decision is not None)

    def _add(
        self, track_id: int, embedding: NDArray[np.float32], quality: float, frame: Frame
    ) -> TrackDecision | None:
        """Take one embedded face into its track; return the decision if it made one."""
        track = self._followed[track_id]
        before = track.evidence.verdict
        track.evidence = track.evidence.add(
            embedding,
            quality,
            clock_s=frame.clock_s,
            nearest=self._identifier.nearest(embedding),
            fused=self._identifier.identify(track.evidence.fused_with(embedding, quality)),
        )
        verdict = track.evidence.verdict
        if verdict is None or verdict is before:
            return None
        if verdict.decision.outcome is Outcome.IDENTIFIED and verdict.decision.profile_id:
            track.name = self._identifier.name_of(verdict.decision.profile_id)
        return self._told(track_id, track, verdict, frame.captured)

    def _end(self, track_ids: tuple[int, ...]) -> tuple[TrackDecision, ...]:
        """Forget tracks; return those that were there and that nothing had been decided about."""
        told = []
        for track_id in track_ids:
            track = self._followed.pop(track_id)
            # What is seen in a frame or two is as often a pattern in the background as a face.
            passing = track.sightings < self._rules.decide_after_frames
            if passing or track.evidence.verdict is not None:
                continue
            threshold = self._identifier.threshold()
            closed = track.evidence.ended(track.last_seen_s, threshold=threshold, flaws=track.flaws)
            if closed.verdict is not None:
                told.append(self._told(track_id, track, closed.verdict, track.last_seen))
        return tuple(told)

    def _told(
        self, track_id: int, track: _Followed, verdict: Verdict, decided: datetime
    ) -> TrackDecision:
        return TrackDecision(self._camera, track_id, verdict, track.name, track.first_seen, decided)

    def _view(self, sighting: _Sighting) -> TrackView:
        track = self._followed[sighting.track_id]
        return TrackView(
            sighting.track_id,
            sighting.box_xyxy_px,
            sighting.quality,
            sighting.flaws,
            track.evidence,
            track.name,
        )
