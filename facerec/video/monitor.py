"""Recognising people in the frames of one camera: detect, follow, gather evidence, decide once."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.faces import Faces
from facerec.decision.decision import Outcome, Reason
from facerec.decision.gate_answer import GateReason
from facerec.decision.gate_standing import standing_at
from facerec.decision.quality_gate import face_flaws
from facerec.errors import ArrayError
from facerec.video.continuity import Continuity
from facerec.video.evidence import TrackEvidence, Verdict
from facerec.video.face_crop import face_crop
from facerec.video.frame import Frame
from facerec.video.identifier import Identifier
from facerec.video.look_digest import look_digest
from facerec.video.monitor_rules import MonitorRules
from facerec.video.observation import Observation, TrackDecision, TrackView
from facerec.video.presence import Presence
from facerec.video.scene_cut import SceneCut
from facerec.video.surroundings import Surroundings
from facerec.video.tracker import Tracker

__all__ = ["Analyzer", "Monitor", "Observation", "TrackDecision", "TrackView"]

_TICK_S = 1e-3
_BLIND_S = 0.5
"""After a longer time without a frame anybody may stand there."""


class Analyzer(Protocol):
    """What the monitor needs of `facerec.analysis.FaceAnalyzer`; safe to share between cameras."""

    def detect(self, image: NDArray[np.uint8], least_px: int = 0) -> Faces:
        """Find and assess the faces of an image (height, width, 3), BGR.

        Faces smaller than `least_px` need not be found.
        """
        ...

    def embed(self, image: NDArray[np.uint8], faces: Faces) -> Faces:
        """Return the same faces with their embeddings."""
        ...


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
    continuity: Continuity | None = None
    also_at: tuple[str, ...] = ()
    box_xyxy_px: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    stood: bool = False
    crop_bgr: NDArray[np.uint8] | None = None
    surroundings: Surroundings | None = None
    changed: bool = False
    looks: tuple[bytes, ...] = ()

    @property
    def in_doubt(self) -> bool:
        """Whether it may show somebody else by now, until the next look says."""
        return self.changed or (self.continuity is not None and self.continuity.doubts > 0)


@dataclass(frozen=True, eq=False)
class _Sighting:
    """One face of the present frame, and the track that it belongs to.

    `face` is its index among the frame's faces; flaws make it unfit for comparison, and `aside`
    says why it doesn't count at the camera's gate.
    """

    track_id: int
    face: int
    box_xyxy_px: NDArray[np.float32]
    quality: float
    flaws: tuple[Reason, ...]
    aside: GateReason | None


class Monitor:
    """Recognises the people before one camera; feed it that camera's frames in order.

    A track is named at most once and never renamed: where it comes to show somebody else, it is
    split, and a new track with a decision of its own begins. Faces are embedded only while a
    decision is open, and then once in a while to see that they are still the same, and at once
    when the picture around them changes suddenly or they were out of sight. No name is shown
    while that is in doubt.
    """

    def __init__(
        self,
        analyzer: Analyzer,
        tracker: Tracker,
        identifier: Identifier,
        rules: MonitorRules,
        *,
        camera: str,
        presence: Presence | None = None,
    ) -> None:
        """Begin with no tracks.

        Args:
            analyzer: Finds and embeds faces.
            tracker: This monitor's own.
            identifier: Answers probes.
            rules: Of this camera.
            camera: Name that decisions carry.
            presence: Where people are seen now, shared between cameras; None for one of its own.
        """
        self._analyzer = analyzer
        self._tracker = tracker
        self._identifier = identifier
        self._rules = rules
        self._camera = camera
        self._presence = presence or Presence()
        self._scene = SceneCut()
        self._due_s = self._small_searched_s = self._seen_s = float("-inf")
        self._views: tuple[TrackView, ...] = ()
        self._followed: dict[int, _Followed] = {}

    def observe(self, frame: Frame) -> Observation:
        """Take in the next frame."""
        cut = self._scene.is_cut(frame.image_bgr)
        changed = self._note_changes(frame)
        if not cut and not changed and frame.clock_s < self._due_s - _TICK_S:
            return Observation(frame, self._views, (), searched=False)
        ended = self._end(self._tracker.end_all()) if cut else ()
        faces = self._analyzer.detect(frame.image_bgr, self._least_px(frame.clock_s))
        update = self._tracker.update(faces.boxes_xyxy_px, frame.clock_s)
        ended += self._end(update.ended)
        sightings = self._sightings(faces, update.track_ids, frame)
        for sighting in sightings:
            self._see(sighting, frame)
        self._note_absences(frame)
        decided, sightings = self._weigh(sightings, faces, frame)
        self._views = tuple(map(self._view, sightings))
        self._due_s = frame.clock_s + self._rules.pace.interval_s(
            followed=len(self._followed),
            undecided=sum(t.evidence.verdict is None for t in self._followed.values()),
            fastest_sides_per_s=self._tracker.fastest_sides_per_s(),
        )
        return Observation(frame, self._views, (*ended, *decided))

    def finish(self) -> tuple[TrackDecision, ...]:
        """End every track, when the source is over; return the undecided ones."""
        return self._end(self._tracker.end_all())

    def _least_px(self, clock_s: float) -> int:
        """Return from which size faces are searched for now; 0 for the smallest."""
        boxes = [track.box_xyxy_px for track in self._followed.values()]
        least_px = self._rules.pace.least_px(
            [min(right - left, bottom - top) for left, top, right, bottom in boxes],
            since_small_s=clock_s - self._small_searched_s,
        )
        if not least_px:
            self._small_searched_s = clock_s
        return least_px

    def _note_changes(self, frame: Frame) -> bool:
        """Hold each face's surroundings against the frame before; tell whether any changed."""
        blind, self._seen_s = frame.clock_s - self._seen_s > _BLIND_S, frame.clock_s
        if self._rules.continuity is None:
            return False
        any_changed = False
        for track in self._followed.values():
            if track.surroundings is None:
                continue
            before, track.surroundings = (
                track.surroundings,
                track.surroundings.in_next(frame.image_bgr),
            )
            if blind or not track.surroundings.is_like(before):
                track.changed = any_changed = True
        return any_changed

    def _note_absences(self, frame: Frame) -> None:
        """Doubt whoever was looked for and not found: somebody else may come back instead."""
        if self._rules.continuity is None:
            return  # nothing would ever look again, so the doubt could not end
        for track in self._followed.values():
            track.changed |= track.last_seen_s < frame.clock_s

    def _sightings(
        self, faces: Faces, track_ids: NDArray[np.int64], frame: Frame
    ) -> tuple[_Sighting, ...]:
        """Join each face of a frame with its track."""
        if faces.quality is None:
            raise ArrayError("the analyzer must assess the faces that it detects")
        asides: tuple[GateReason | None, ...] = (None,) * len(track_ids)
        if self._rules.gate is not None:
            height, width = frame.image_bgr.shape[:2]
            asides = standing_at(faces.boxes_xyxy_px, (width, height), self._rules.gate)
        return tuple(
            _Sighting(
                int(track_id),
                index,
                faces.boxes_xyxy_px[index],
                float(faces.quality.overall[index]),
                face_flaws(faces, index, min_quality=self._rules.min_quality),
                asides[index],
            )
            for index, track_id in enumerate(track_ids)
        )

    def _see(self, sighting: _Sighting, frame: Frame) -> None:
        """Note that a track was seen, and the flaws of its best face so far."""
        track = self._followed.get(sighting.track_id)
        if track is None:
            evidence = TrackEvidence(self._rules.evidence, frame.clock_s)
            track = _Followed(evidence, frame.captured, frame.captured, frame.clock_s)
            self._followed[sighting.track_id] = track
        track.last_seen, track.last_seen_s = frame.captured, frame.clock_s
        track.sightings += 1
        left, top, right, bottom = (float(side) for side in sighting.box_xyxy_px)
        track.box_xyxy_px = left, top, right, bottom
        track.stood |= sighting.aside is None
        if self._rules.continuity is not None:
            track.surroundings = Surroundings.of(frame.image_bgr, sighting.box_xyxy_px)
        self._note_presence(sighting.track_id, track)
        if sighting.quality > track.best_quality:
            track.best_quality, track.flaws = sighting.quality, sighting.flaws
            if self._rules.keeps_crops:
                track.crop_bgr = face_crop(frame.image_bgr, sighting.box_xyxy_px)

    def _note_presence(self, track_id: int, track: _Followed) -> None:
        """Note where a named person is, and where else."""
        verdict = track.evidence.verdict
        if verdict is not None and verdict.decision.profile_id is not None and not track.in_doubt:
            track.also_at = self._presence.note(
                verdict.decision.profile_id, self._camera, track_id, track.last_seen
            )

    def _weigh(
        self, sightings: tuple[_Sighting, ...], faces: Faces, frame: Frame
    ) -> tuple[tuple[TrackDecision, ...], tuple[_Sighting, ...]]:
        """Embed the faces that can change a decision, and take them in.

        Returns:
            What was decided; and the sightings, under new numbers where a track was split.
        """
        wanted = [at for at, sighting in enumerate(sightings) if self._wants(sighting, frame)]
        if not wanted:
            return (), sightings
        chosen = np.array([sightings[at].face for at in wanted], np.intp)
        embeddings = self._analyzer.embed(frame.image_bgr, faces[chosen]).embeddings
        if embeddings is None:
            raise ArrayError("the analyzer must embed the faces that it is handed")
        told: list[TrackDecision] = []
        seen = list(sightings)
        for at, embedding in zip(wanted, embeddings, strict=True):
            if not self._shows_the_same(seen[at].track_id, embedding, frame.clock_s):
                told += self._end((seen[at].track_id,))
                seen[at] = replace(seen[at], track_id=self._tracker.split(seen[at].track_id))
                self._see(seen[at], frame)
            if self._followed[seen[at].track_id].evidence.wants(seen[at].quality, frame.clock_s):
                told += self._add(seen[at], embedding, frame)
        return tuple(told), tuple(seen)

    def _wants(self, sighting: _Sighting, frame: Frame) -> bool:
        """Tell whether a face's embedding can change anything."""
        track = self._followed[sighting.track_id]
        if sighting.flaws or (sighting.aside is not None and track.continuity is None):
            return False
        due = track.continuity is not None and track.continuity.is_due(frame.clock_s)
        doubted = track.changed and (track.continuity or track.evidence.direction) is not None
        return bool(due or doubted or track.evidence.wants(sighting.quality, frame.clock_s))

    def _shows_the_same(
        self, track_id: int, embedding: NDArray[np.float32], clock_s: float
    ) -> bool:
        """Check by a new look that a track still shows who it showed.

        A look that is unlike the others after a sudden change is enough to say no, without one it
        takes several.
        """
        track, rules = self._followed[track_id], self._rules.continuity
        changed, track.changed = track.changed, False
        if track.continuity is not None:
            track.continuity = track.continuity.checked(embedding, clock_s)
            return not track.continuity.is_broken and not (changed and track.continuity.doubts)
        direction = track.evidence.direction
        if not changed or rules is None or direction is None:
            return True
        return float(direction @ embedding) >= rules.same_face_similarity

    def _add(
        self, sighting: _Sighting, embedding: NDArray[np.float32], frame: Frame
    ) -> tuple[TrackDecision, ...]:
        """Take one embedded face into its track; return the decision if it made one."""
        track_id, quality = sighting.track_id, sighting.quality
        track = self._followed[track_id]
        if self._rules.gate is not None and self._rules.gate.refuse_repeats:
            look = look_digest(frame.image_bgr, sighting.box_xyxy_px)
            track.looks = (*track.looks, look)[-self._rules.evidence.looks_per_attempt :]
        before = track.evidence.verdict
        fused = track.evidence.fused_with(embedding, quality)
        found = self._identifier.identify(fused)
        track.evidence = track.evidence.add(
            embedding,
            quality,
            clock_s=frame.clock_s,
            nearest=self._identifier.nearest(embedding),
            fused=found.decision,
            evidence=found.evidence,
        )
        verdict = track.evidence.verdict
        if verdict is None or verdict is before:
            return ()
        if self._rules.continuity is not None:
            track.continuity = Continuity(self._rules.continuity, fused.direction, frame.clock_s)
        if verdict.decision.outcome is Outcome.IDENTIFIED and verdict.decision.profile_id:
            track.name = self._identifier.name_of(verdict.decision.profile_id)
        self._note_presence(track_id, track)
        return (self._told(track_id, track, verdict, frame.captured),)

    def _end(self, track_ids: tuple[int, ...]) -> tuple[TrackDecision, ...]:
        """Forget tracks; return those that were there and that nothing had been decided about."""
        told = []
        for track_id in track_ids:
            track = self._followed.pop(track_id)
            # What is seen in a frame or two, and is fit for nothing, is as often a pattern in the
            # background as a face.
            passing = track.sightings < self._rules.evidence.decide_after_frames
            passing = passing and track.evidence.window is None
            if passing or not track.stood or track.evidence.verdict is not None:
                continue
            unseen = self._identifier.undecided(track.flaws)
            closed = track.evidence.ended(track.last_seen_s, unseen=unseen)
            if closed.verdict is not None:
                told.append(self._told(track_id, track, closed.verdict, track.last_seen))
        return tuple(told)

    def _told(
        self, track_id: int, track: _Followed, verdict: Verdict, decided: datetime
    ) -> TrackDecision:
        return TrackDecision(
            self._camera,
            track_id,
            verdict,
            track.name,
            track.first_seen,
            decided,
            track.also_at,
            track.box_xyxy_px,
            crop_bgr=track.crop_bgr,
            looks=track.looks,
        )

    def _view(self, sighting: _Sighting) -> TrackView:
        track = self._followed[sighting.track_id]
        return TrackView(
            sighting.track_id,
            sighting.box_xyxy_px,
            sighting.quality,
            sighting.flaws,
            track.evidence,
            None if track.in_doubt else track.name,
            sighting.aside,
            track.in_doubt,
        )
