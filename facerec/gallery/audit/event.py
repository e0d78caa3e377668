"""What the audit journal is told: who did or decided what."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["SYSTEM", "Actor", "AuditEvent", "AuditKind"]


class AuditKind(StrEnum):
    """What happened; stable words for scripts."""

    HOME_CREATED = "home_created"
    HOME_UPGRADED = "home_upgraded"
    """The database was brought to a newer schema; the journal may begin here."""
    GALLERY_CREATED = "gallery_created"
    GALLERY_DELETED = "gallery_deleted"
    PROFILE_ENROLLED = "profile_enrolled"
    PROFILE_UPDATED = "profile_updated"
    PROFILE_EXPORTED = "profile_exported"
    PROFILE_ERASED = "profile_erased"
    TEMPLATES_ADDED = "templates_added"
    TEMPLATE_DELETED = "template_deleted"
    CONSENT_GIVEN = "consent_given"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    MASTER_KEY_ROTATED = "master_key_rotated"
    OPERATING_POINT_SET = "operating_point_set"
    EMBEDDING_SPACE_SWITCHED = "embedding_space_switched"
    TOKEN_ISSUED = "token_issued"
    TOKEN_REVOKED = "token_revoked"
    CERTIFICATE_ISSUED = "certificate_issued"
    CERTIFICATE_REVOKED = "certificate_revoked"
    GATE_CREATED = "gate_created"
    GATE_UPDATED = "gate_updated"
    GATE_DELETED = "gate_deleted"
    BACKED_UP = "backed_up"
    RESTORED = "restored"
    IDENTIFIED = "identified"
    """A probe was searched for (1:N), whatever came of it."""
    VERIFIED = "verified"
    """A claim was answered (1:1), whatever came of it."""
    AUTHORIZED = "authorized"
    """A gate was answered, whatever came of it."""
    WATCHED = "watched"
    """A person before a camera was decided on, whatever came of it."""
    RECORDING_STARTED = "recording_started"
    """A process began to record decisions in batches; one without an end was cut off."""
    RECORDING_ENDED = "recording_ended"
    ENTRIES_LOST = "entries_lost"
    """Decisions could not be recorded, for instance because the disk was full; says how many."""


@dataclass(frozen=True)
class Actor:
    """On whose behalf something is done.

    Attributes:
        name: Kind and name: ``operator:root``, ``certificate:north``, ``token:3f9a1c77e2b4``.
        request_id: Id of the call, "" for none.
    """

    name: str
    request_id: str = ""


SYSTEM = Actor("system")
"""For what nobody in particular does."""


@dataclass(frozen=True)
class AuditEvent:
    """One thing that was done or decided.

    It must not hold names, attributes or anything else that tells who a person is: entries
    outlive erasure. The profile's id is not stored either, but a pseudonym of it.

    Attributes:
        kind: What.
        outcome: What came of it, one word: ``done``, ``identified``, ``no_match``.
        profile_id: Whom it is about; None for nobody, or nobody who is known.
        reasons: Stable words why.
        embedding_space: Network that templates were made with; "" where none was used.
        revision: Of the gallery: the one that a change made, or that a search answered from.
        threshold: Similarity that was asked for; None where nothing was compared.
        operating_point: Name of the rates that the threshold is from.
        score: Highest similarity.
        margin: Lead over the second-best person.
        place: Gate, camera or galleries concerned.
        note: What else, without personal data.
    """

    kind: AuditKind
    outcome: str = "done"
    profile_id: str | None = None
    reasons: tuple[str, ...] = ()
    embedding_space: str = ""
    revision: int = 0
    threshold: float | None = None
    operating_point: str = ""
    score: float | None = None
    margin: float | None = None
    place: str = ""
    note: str = ""
