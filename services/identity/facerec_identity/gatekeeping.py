"""Decides whether a gate opens for whoever stands before it in one picture."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from facerec.analysis.faces import Faces
from facerec.analysis.main_face import largest_first
from facerec.decision.auditing import identification_event
from facerec.decision.decision import Decision, Reason
from facerec.decision.gate_answer import GateAnswer, GateOutcome, GateReason
from facerec.decision.gate_standing import standing_at
from facerec.errors import ProfileNotFoundError
from facerec.gallery.audit.event import AuditEvent, AuditKind
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import Profile
from facerec.video.evidence import Verdict
from facerec.video.gate_keeper import GateKeeper
from facerec.video.look_digest import look_digest
from facerec.video.observation import TrackDecision
from facerec_identity.face_reader import RequestImage
from facerec_identity.recognition import Recognition
from facerec_identity.worker_pool import CallGuard

__all__ = ["Authorization", "answer_of", "authorization_event", "authorize", "person_of"]

_RECOGNISED = (GateOutcome.GRANTED, GateOutcome.DENIED)


@dataclass(frozen=True, eq=False)
class Authorization:
    """The answer to a gate.

    Attributes:
        decision_id: By which log and journal name it.
        gate: Name of the gate.
        outcome: The answer.
        reasons: Why it is not GRANTED, most important first.
        wait_s: When to ask again, while the person's last grant cools down; else 0.
        profile: The person, when GRANTED or DENIED.
        operating_point: Name of the operating point that was decided at.
        target_fpir: Rate that was decided at.
        faces: The face that was searched; empty when there was none.
        decision: Who it is; None when nobody was searched.
    """

    decision_id: str
    gate: str
    outcome: GateOutcome
    reasons: tuple[Reason | GateReason, ...]
    wait_s: float
    profile: Profile | None
    operating_point: str
    target_fpir: float
    faces: Faces
    decision: Decision | None = None


def authorize(
    recognition: Recognition,
    keeper: GateKeeper,
    image: RequestImage,
    guard: CallGuard,
    *,
    decision_id: str,
    now: datetime,
    sent_before: bool = False,
) -> Authorization:
    """Tell whether a gate opens for the one face of a picture that stands at it.

    Args:
        recognition: Tells who people are.
        keeper: Of the gate.
        image: The picture.
        guard: Checked between the stages.
        decision_id: Id of the decision, which makes it a visit of its own.
        now: The present moment, with its time zone.
        sent_before: Whether the caller repeats a call whose answer was lost: no repeated look.

    Raises:
        RequestImageError: the bytes are not a picture that can be taken.
        GalleryNotFoundError: the gate names a gallery that there is not.
        EmbeddingSpaceError: the people there were enrolled with other networks.
        DeadlineError: the caller no longer waits.
    """
    gallery, recognizer = recognition.gallery, recognition.recognizer
    gallery.require_galleries(keeper.rules.searched)
    pixels = recognition.reader.decode(image)
    guard.check()
    found = recognition.reader.analyzer.detect(pixels)
    found = found[largest_first(found)]
    aside = standing_at(found.boxes_xyxy_px, (pixels.shape[1], pixels.shape[0]), keeper.rules)
    standing = next((i for i, reason in enumerate(aside) if reason is None), None)
    nothing = _nobody(recognition, keeper, decision_id, aside)
    if standing is None:
        return nothing
    guard.check()
    face = recognition.reader.analyzer.embed(pixels, found[standing : standing + 1])
    guard.check()
    (decision,) = recognizer.identify(face, gallery, keeper.rules.searched)
    told = _in_one_frame(decision, decision_id, now)
    if keeper.rules.refuse_repeats and not sent_before:
        told = replace(told, looks=(look_digest(pixels, face.boxes_xyxy_px[0]),))
    answer = answer_of(keeper, told)
    return replace(
        nothing,
        outcome=answer.outcome,
        reasons=() if answer.outcome is GateOutcome.GRANTED else answer.reasons or decision.reasons,
        wait_s=answer.wait_s,
        profile=person_of(answer, decision, gallery),
        faces=face,
        decision=decision,
    )


def _nobody(
    recognition: Recognition,
    keeper: GateKeeper,
    decision_id: str,
    aside: Sequence[GateReason | None],
) -> Authorization:
    """Return the answer while nobody was searched: look again.

    Args:
        recognition: Would tell who it is.
        keeper: Of the gate.
        decision_id: Id of the decision.
        aside: Why each face does not count at the gate, the largest first.
    """
    recognizer = recognition.recognizer
    return Authorization(
        decision_id,
        keeper.name,
        GateOutcome.RETRY,
        (Reason.NO_FACE,) if not aside or aside[0] is None else (aside[0],),
        wait_s=0.0,
        profile=None,
        operating_point=recognizer.operating_point.name,
        target_fpir=recognizer.target_fpir,
        faces=Faces.empty(),
    )


def person_of(answer: GateAnswer, decision: Decision, gallery: Gallery) -> Profile | None:
    """Return whom a gate is told of; None unless the person is known there."""
    if answer.outcome not in _RECOGNISED or decision.profile_id is None:
        return None
    try:
        return gallery.get(decision.profile_id)
    except ProfileNotFoundError:  # erased since the search
        return None


def authorization_event(answer: Authorization) -> AuditEvent:
    """Return what the journal is told of an answer to a gate."""
    event = AuditEvent(AuditKind.AUTHORIZED, operating_point=answer.operating_point)
    if answer.decision is not None:
        event = identification_event(answer.decision, kind=AuditKind.AUTHORIZED)
    return replace(
        event,
        outcome=answer.outcome.value,
        profile_id=None if answer.profile is None else answer.profile.profile_id,
        reasons=tuple(reason.value for reason in answer.reasons),
        place=answer.gate,
        note=answer.decision_id,
    )


def answer_of(keeper: GateKeeper, told: TrackDecision) -> GateAnswer:
    """Have a gate's rules applied to a decision."""
    return keeper.answered(told).gate_answer or GateAnswer(GateOutcome.RETRY)


def _in_one_frame(decision: Decision, decision_id: str, now: datetime) -> TrackDecision:
    """Return a decision from one picture as a visit of its own."""
    verdict = Verdict(decision, first_seen_s=0.0, decided_s=0.0, frames=1)
    return TrackDecision(
        camera=decision_id, track_id=0, verdict=verdict, name=None, first_seen=now, decided=now
    )
