"""Who is enrolled, and what is stored of a face."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError

__all__ = ["Candidates", "NewTemplate", "Profile", "ProfileState", "Template"]


class ProfileState(StrEnum):
    """Whether a person may be matched."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class Profile:
    """One enrolled person.

    Attributes:
        profile_id: Stable id, unique in the home; chosen by the system unless the enroller did.
        name: Display name.
        galleries: Names of the galleries that the person is in, sorted.
        state: Only active people are matched.
        consent: Reference to the evidence of consent, in the enroller's words; "" when none given.
        templates: Number of templates held.
        created: When the profile was made, UTC.
    """

    profile_id: str
    name: str
    galleries: tuple[str, ...]
    state: ProfileState
    consent: str
    templates: int
    created: datetime


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
    """

    embedding: NDArray[np.float32]
    embedding_space: str
    quality: float
    source: str
    content_sha256: str = ""

    def __post_init__(self) -> None:
        e = self.embedding
        if e.ndim != 1 or e.dtype != np.float32:
            raise ArrayError(
                f"embedding must be float32 of shape (d,); received {e.dtype} {e.shape}"
            )
        if not np.all(np.isfinite(e)) or abs(float(np.linalg.norm(e)) - 1.0) > 1e-3:
            raise ArrayError("embedding must be finite and of unit length")


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
        similarities: float32 (k,), descending; each the person's highest cosine similarity.
        searched: Number of people searched, for thresholds that depend on it.
        revision: Revision of the gallery that answered.
    """

    profile_ids: tuple[str, ...]
    similarities: NDArray[np.float32]
    searched: int
    revision: int

    def __len__(self) -> int:
        return len(self.profile_ids)
