"""Who is enrolled, and what is stored of a face."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError

__all__ = [
    "Candidates",
    "Consent",
    "NewProfile",
    "NewTemplate",
    "Profile",
    "ProfileState",
    "Retention",
    "Template",
]


class ProfileState(StrEnum):
    """Whether a person may be matched."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    """Outside their time of validity: follows from the clock, and is never set."""


@dataclass(frozen=True)
class Consent:
    """That a person agreed to be enrolled, or what else makes it lawful.

    Attributes:
        purpose: What their face may be used for.
        legal_basis: What makes it lawful, such as ``consent`` or ``contract``.
        evidence: Where the evidence is; "" when there is none.
        given: When, UTC.
        withdrawn: When it was withdrawn, UTC; None while it stands.
        consent_id: Number of the record, unique in the home.
    """

    purpose: str
    legal_basis: str
    evidence: str
    given: datetime
    withdrawn: datetime | None = None
    consent_id: int = 0


@dataclass(frozen=True)
class Retention:
    """When a person is to be erased; either, both or neither may be set.

    Attributes:
        erase_on: From this moment, UTC.
        erase_unseen_days: When they have not been seen for so many days, at least 1.
    """

    erase_on: datetime | None = None
    erase_unseen_days: int | None = None


@dataclass(frozen=True)
class Profile:
    """One enrolled person.

    Attributes:
        profile_id: Stable id, unique in the home; chosen by the system unless the enroller did.
        name: Display name.
        galleries: Names of the galleries that the person is in, sorted.
        state: Only active people are matched.
        consent: Reference to the evidence of the consent that stands; "" when there is none.
        templates: Number of templates held.
        created: When the profile was made, UTC.
        external_id: Id of the person in the enroller's own records, unique in the home; or "".
        attributes: What else the enroller keeps of the person, by name.
        valid_from: Matched from this moment, UTC; None for always.
        valid_until: No longer matched from this moment, UTC; None for never.
        last_seen: When the person was last recognised, UTC; None for never.
        retention: When the person is to be erased.
        consents: All consents ever given, oldest first.
        revision: Every search of this revision of the gallery or a later one goes by all of this.
    """

    profile_id: str
    name: str
    galleries: tuple[str, ...]
    state: ProfileState
    consent: str
    templates: int
    created: datetime
    external_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    last_seen: datetime | None = None
    retention: Retention = Retention()
    consents: tuple[Consent, ...] = ()
    revision: int = field(default=0, compare=False)


@dataclass(frozen=True, eq=False)
class NewTemplate:
    """A template that is about to be stored.

    Attributes:
        embedding: float32 (d,), finite and of unit length.
        embedding_space: Id of the space that the embedding lies in.
        quality: Overall quality of the face, 0..1.
        source: Where it came from, in the enroller's words (a file's name, a camera).
        content_sha256: SHA-256 of the picture's file in hexadecimal, by which the same picture is
            known again; "" when it came from no file.
        captured: When the picture was taken, UTC; None when that is not known.
        accepted: What spoke against the picture, or the enrolment, and was overridden by the
            enroller; stable words.
        image: The picture's file, to be kept; empty to keep none. `content_sha256` is its hash.
    """

    embedding: NDArray[np.float32]
    embedding_space: str
    quality: float
    source: str
    content_sha256: str = ""
    captured: datetime | None = None
    accepted: tuple[str, ...] = ()
    image: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        e = self.embedding
        if e.ndim != 1 or e.dtype != np.float32:
            raise ArrayError(
                f"embedding must be float32 of shape (d,); received {e.dtype} {e.shape}"
            )
        if not np.all(np.isfinite(e)) or abs(float(np.linalg.norm(e)) - 1.0) > 1e-3:
            raise ArrayError("embedding must be finite and of unit length")
        if not 0 <= self.quality <= 1:
            raise ArrayError(f"quality must lie between 0 and 1; received {self.quality}")


@dataclass(frozen=True, eq=False)
class NewProfile:
    """A person who is about to be enrolled.

    Attributes:
        name: Display name, 1 to 200 characters; need not be unique.
        templates: At least one.
        galleries: Names of galleries that exist, at least one.
        profile_id: An id to use; None for a random one.
        consent: Reference to the evidence of consent; "" when none is recorded.
        external_id: Id in the enroller's own records, unique in the home; "" for none.
        attributes: What else to keep, by name.
        valid_from: Matched from this moment, UTC; None for always.
        valid_until: No longer matched from this moment, UTC; None for never.
    """

    name: str
    templates: Sequence[NewTemplate]
    galleries: Sequence[str]
    profile_id: str | None = None
    consent: str = ""
    external_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Template(NewTemplate):
    """A stored template.

    Attributes:
        template_id: Number of the template, unique in the home.
        profile_id: Whose it is.
        created: When it was stored, UTC.
    """

    template_id: int
    profile_id: str
    created: datetime


@dataclass(frozen=True, eq=False)
class Candidates:
    """The people most like a probe, most alike first; one entry a person.

    Attributes:
        profile_ids: (k,) ids.
        similarities: float32 (k,), descending; each the person's score, as `IndexRules.score`.
        searched: Number of people searched, for thresholds that depend on it.
        revision: Revision of the gallery that answered.
        templates: Number of templates that the probe was compared with, for the same; 0 where only
            the people were counted.
        elsewhere: Number of people of those galleries who were not searched, because all their
            templates are in other embedding spaces.
        index: "exact", or what is approximate about the answer and the recall that was measured.
    """

    profile_ids: tuple[str, ...]
    similarities: NDArray[np.float32]
    searched: int
    revision: int
    templates: int = 0
    elsewhere: int = 0
    index: str = "exact"

    def __len__(self) -> int:
        return len(self.profile_ids)

    @property
    def margin(self) -> float | None:
        """The first person's lead over the second one; None with fewer than two."""
        first_two = self.similarities[:2].tolist()
        return first_two[0] - first_two[1] if len(first_two) == 2 else None
