"""What the audit journal is told of decisions."""

from facerec.decision.decision import Decision
from facerec.decision.verification import Verification
from facerec.gallery.audit.event import AuditEvent, AuditKind

__all__ = ["identification_event", "verification_event"]


def identification_event(
    decision: Decision, *, kind: AuditKind = AuditKind.IDENTIFIED, place: str = ""
) -> AuditEvent:
    """Return what the journal is told of a 1:N decision.

    Args:
        decision: What was decided.
        kind: How it was asked for.
        place: Gate, camera or galleries that it was made for.
    """
    return AuditEvent(
        kind=kind,
        outcome=decision.outcome.value,
        profile_id=decision.profile_id,
        reasons=tuple(reason.value for reason in decision.reasons),
        embedding_space=decision.embedding_space,
        revision=decision.revision,
        threshold=decision.threshold,
        operating_point=decision.operating_point,
        score=decision.similarity,
        margin=decision.margin,
        place=place,
    )


def verification_event(
    verification: Verification, profile_id: str | None, *, place: str = ""
) -> AuditEvent:
    """Return what the journal is told of a 1:1 decision.

    Args:
        verification: What was decided.
        profile_id: Whom the claim was about; None when two pictures were compared.
        place: Gate or camera that it was made for.
    """
    return AuditEvent(
        kind=AuditKind.VERIFIED,
        outcome=verification.outcome.value,
        profile_id=profile_id,
        reasons=tuple(reason.value for reason in verification.reasons),
        embedding_space=verification.embedding_space,
        threshold=verification.threshold,
        operating_point=verification.operating_point,
        score=verification.similarity,
        place=place,
    )
