"""What calls answer, as plain values.

Reasons are words such as ``"too_small"``: those of ``facerec.v1.Reason`` without their prefix, in
lower case. A newer server may send words that are not listed there.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = [
    "AuthorizationOutcome",
    "AuthorizeResult",
    "Box",
    "EnrolResult",
    "ErasureReceipt",
    "FoundFace",
    "IdentificationOutcome",
    "IdentifiedFace",
    "IdentifyResult",
    "ImageResult",
    "Profile",
    "ProfilePage",
    "ProfileState",
    "VerificationOutcome",
    "VerifyResult",
    "WatchedDecision",
]


class VerificationOutcome(StrEnum):
    """The answer to "is this the same person?"."""

    MATCH = "match"
    NO_MATCH = "no_match"
    UNDECIDED = "undecided"
    """The pictures allow no answer: take another."""


class IdentificationOutcome(StrEnum):
    """The answer to "who is this, if anybody we know?"."""

    IDENTIFIED = "identified"
    UNKNOWN = "unknown"
    UNDECIDED = "undecided"
    """The picture allows no answer: take another."""


class AuthorizationOutcome(StrEnum):
    """The answer to a gate; it stays shut at all but GRANTED."""

    GRANTED = "granted"
    DENIED = "denied"
    """Known here, and may not pass."""
    UNKNOWN = "unknown"
    RETRY = "retry"
    """The picture allows no answer: send another."""


class ProfileState(StrEnum):
    """Whether a person takes part in comparisons."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    """Outside of the time of validity."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels from the picture's upper left corner; may reach beyond its border."""

    left_px: float
    top_px: float
    right_px: float
    bottom_px: float


@dataclass(frozen=True)
class FoundFace:
    """A face of a picture.

    Attributes:
        box: Where it is.
        detection_score: The detector's belief that it is a face, 0..1.
        quality: How fit it is for comparison, 0..1.
    """

    box: Box
    detection_score: float
    quality: float


@dataclass(frozen=True)
class VerifyResult:
    """The answer to a 1:1 question.

    Attributes:
        outcome: The answer.
        reasons: Why there is no match, most important first; empty for a match.
        similarity: Cosine similarity, -1..1; None without a comparison, or when it is withheld.
        threshold: Similarity from which the server says match; None when it is withheld.
        target_fmr: False match rate of that threshold.
        similarity_fmr: False match rate of a threshold at `similarity`; None when that is.
        probe_face: The probe's face; None when it shows none.
        reference_face: The reference picture's face; None without one.
    """

    outcome: VerificationOutcome
    reasons: tuple[str, ...]
    similarity: float | None
    threshold: float | None
    target_fmr: float
    similarity_fmr: float | None
    probe_face: FoundFace | None
    reference_face: FoundFace | None

    @property
    def match(self) -> bool:
        """Whether it is the same person."""
        return self.outcome is VerificationOutcome.MATCH


@dataclass(frozen=True)
class IdentifiedFace:
    """The answer about one face.

    Attributes:
        face: Where it is.
        outcome: The answer.
        reasons: Why nobody is named, most important first; empty when somebody is.
        profile_id: The person's id; None unless identified.
        display_name: The person's name; None unless identified.
        similarity: To the most similar person, -1..1; None when nobody was compared, or withheld.
        threshold: Similarity from which a person is named; None when it is withheld.
        margin: Lead over the second-best person; None with fewer than two, or withheld.
    """

    face: FoundFace
    outcome: IdentificationOutcome
    reasons: tuple[str, ...]
    profile_id: str | None
    display_name: str | None
    similarity: float | None
    threshold: float | None
    margin: float | None


@dataclass(frozen=True)
class IdentifyResult:
    """The answer about a picture.

    Attributes:
        faces: One entry a face, largest first; empty when there is none.
        reasons: ``("no_face",)`` when there is none.
        target_fpir: False positive identification rate that was decided at.
    """

    faces: tuple[IdentifiedFace, ...]
    reasons: tuple[str, ...]
    target_fpir: float


@dataclass(frozen=True)
class AuthorizeResult:
    """The answer to a gate.

    Attributes:
        outcome: The answer.
        reasons: Why it is not granted, most important first.
        profile_id: The person's id; None unless granted or denied.
        display_name: The person's name; None unless granted or denied.
        operating_point: Name of the operating point that was decided at.
        target_fpir: False positive identification rate that was decided at.
        face: The face that was searched; None when there was none.
        decision_id: By which the server's log and journal name this decision.
        wait_s: When to ask again, while the person's last grant cools down; else None.
    """

    outcome: AuthorizationOutcome
    reasons: tuple[str, ...]
    profile_id: str | None
    display_name: str | None
    operating_point: str
    target_fpir: float
    face: FoundFace | None
    decision_id: str
    wait_s: float | None = None

    @property
    def granted(self) -> bool:
        """Whether the gate may open."""
        return self.outcome is AuthorizationOutcome.GRANTED


@dataclass(frozen=True)
class Profile:
    """One enrolled person.

    Attributes:
        profile_id: Stable id.
        display_name: Name as people read it.
        galleries: Names of the galleries that the person is in.
        state: Whether the person is matched.
        consent: Reference to the evidence of consent; "" when none was given.
        templates: Number of templates held.
        created: When the person was enrolled, UTC.
    """

    profile_id: str
    display_name: str
    galleries: tuple[str, ...]
    state: ProfileState
    consent: str
    templates: int
    created: datetime


@dataclass(frozen=True)
class ImageResult:
    """What became of one picture.

    Attributes:
        accepted: Whether a template was made of it.
        reasons: Why not; empty when it was accepted.
    """

    accepted: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class EnrolResult:
    """What became of an enrolment.

    Attributes:
        profile: The new profile; None when no picture was accepted.
        images: One result a picture, in order.
    """

    profile: Profile | None
    images: tuple[ImageResult, ...]


@dataclass(frozen=True)
class ProfilePage:
    """Some profiles.

    Attributes:
        profiles: By id.
        next_token: Of the next page; "" when this is the last.
    """

    profiles: tuple[Profile, ...]
    next_token: str


@dataclass(frozen=True)
class ErasureReceipt:
    """Evidence that a person was erased.

    Attributes:
        receipt_id: Random id of the erasure.
        cause: Why, one word such as ``requested``.
        erased: When, UTC.
        templates: How many templates were erased.
        evidence_sha256: Hash over what was erased as it was stored, in hexadecimal.
    """

    receipt_id: str
    cause: str
    erased: datetime
    templates: int
    evidence_sha256: str


@dataclass(frozen=True)
class WatchedDecision:
    """An answer to a gate, as a watcher hears of it.

    Attributes:
        resume_token: Where to go on after an interruption.
        decision_id: Id of the decision; "" in a sign of life, of which the rest is empty too.
        gate: Name of the gate.
        outcome: What the gate was told; None in a sign of life.
        reasons: Why it was not granted.
        profile_id: The person, if anybody was recognised who is enrolled still.
        decided: When, UTC; None in a sign of life.
        client: Who asked.
    """

    resume_token: str
    decision_id: str = ""
    gate: str = ""
    outcome: AuthorizationOutcome | None = None
    reasons: tuple[str, ...] = ()
    profile_id: str | None = None
    decided: datetime | None = None
    client: str = ""
