"""An entry of the audit journal, and how entries form a chain.

Each entry holds the SHA-256 of the one before it and of its own content, so that none can be
changed, removed, inserted or moved without breaking the chain; the chain's head is signed
(`facerec.gallery.audit.signing`), so that it cannot be computed anew, nor its end cut off.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime

from facerec.gallery.audit.event import AuditEvent, AuditKind
from facerec.gallery.encryption.sealed_records import Owner
from facerec.gallery.times import moment, stored

__all__ = ["AuditContent", "AuditEntry", "content_of", "entry_hash", "first_hash", "pseudonym"]

_DECIMALS = 4
"""Scores are kept to so many decimals: a template cannot be told from them."""


@dataclass(frozen=True)
class AuditContent:
    """What an entry says, beside its place in the chain.

    Attributes:
        recorded: When it happened, UTC, as times are stored.
        kind: As `AuditEvent`.
        actor: Name of the `Actor`.
        request_id: Of the call, or "".
        subject: Pseudonym of the person, or "".
        outcome: As `AuditEvent`.
        details: The rest of the `AuditEvent`, as JSON.
    """

    recorded: str
    kind: str
    actor: str
    request_id: str
    subject: str
    outcome: str
    details: str


@dataclass(frozen=True)
class AuditEntry:
    """An entry as it is read.

    Attributes:
        number: Place in the chain, 1 for the first.
        recorded: When it happened, UTC.
        actor: Who did it.
        request_id: Of the call, or "".
        subject: Pseudonym of the person it is about, or "". While they are enrolled,
            ``event.profile_id`` says whom it stands for.
        event: What happened.
        sha256: Hash of this entry and, through the chain, of all before it.
    """

    number: int
    recorded: datetime
    actor: str
    request_id: str
    subject: str
    event: AuditEvent
    sha256: str

    @classmethod
    def read(
        cls, number: int, content: AuditContent, sha256: str, profile_id: str | None
    ) -> "AuditEntry":
        """Return the entry of a stored row.

        Raises:
            ValueError: the details are not what was stored.
            TypeError: so are they.
        """
        details = json.loads(content.details)
        details["reasons"] = tuple(details["reasons"])
        event = AuditEvent(
            kind=AuditKind(content.kind),
            outcome=content.outcome,
            profile_id=profile_id,
            **details,
        )
        return cls(
            number,
            moment(content.recorded),
            content.actor,
            content.request_id,
            content.subject,
            event,
            sha256,
        )


def content_of(
    event: AuditEvent, *, recorded: datetime, actor: str, request_id: str, subject: str
) -> AuditContent:
    """Return what is stored of an event; the profile's id is left out."""
    details = dict(vars(event))  # asdict would copy what is in it too
    for name in ("kind", "outcome", "profile_id"):
        del details[name]
    for name in ("threshold", "score", "margin"):
        if details[name] is not None:
            details[name] = round(float(details[name]), _DECIMALS)
    return AuditContent(
        recorded=stored(recorded),
        kind=event.kind.value,
        actor=actor,
        request_id=request_id,
        subject=subject,
        outcome=event.outcome,
        details=json.dumps(details, ensure_ascii=False, sort_keys=True),
    )


def first_hash(home_id: str) -> str:
    """Return what stands for the entry before the first one of a home."""
    return hashlib.sha256(f"facerec audit journal of {home_id}".encode()).hexdigest()


def entry_hash(number: int, previous: str, content: AuditContent) -> str:
    """Return the SHA-256 of an entry at its place: of the JSON array of all that it holds."""
    parts = [number, previous, *vars(content).values()]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def pseudonym(owner: Owner) -> str:
    """Return what stands for a person in the journal, 32 hexadecimal digits.

    It is an HMAC under their data key: once that key is shredded nobody can tell, or test, whose
    it was.
    """
    message = json.dumps(["audit pseudonym", owner.home_id, owner.profile_id]).encode()
    return hmac.new(owner.key, message, hashlib.sha256).hexdigest()[:32]
