"""What is sealed of people, templates and consents, and how it is written before it is sealed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facerec.errors import RecordDamagedError
from facerec.gallery.encryption.vault import OVERHEAD_BYTES, open_sealed, seal

__all__ = [
    "ConsentDetails",
    "Owner",
    "ProfileDetails",
    "TemplateDetails",
    "embedding_size",
]


@dataclass(frozen=True)
class ProfileDetails:
    """What is sealed of a person."""

    name: str
    external_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TemplateDetails:
    """What is sealed of a template beside its embedding.

    Attributes:
        source: Where the picture came from.
        content_sha256: Hash of the picture's file, or "".
        captured: When it was taken, as times are stored, or "".
        accepted: What spoke against it and was overridden by the enroller.
    """

    source: str
    content_sha256: str
    captured: str = ""
    accepted: Sequence[str] = ()


@dataclass(frozen=True)
class ConsentDetails:
    """What is sealed of a consent."""

    purpose: str
    legal_basis: str
    evidence: str


@dataclass(frozen=True)
class Owner:
    """Seals and opens what belongs to one person.

    Attributes:
        home_id: The home that it is bound to.
        profile_id: The person that it is bound to.
        key: Their data key.
    """

    home_id: str
    profile_id: str
    key: bytes = field(repr=False)

    def seal_profile(self, details: ProfileDetails) -> bytes:
        """Seal who the person is."""
        return self._seal("profile", _written(details))

    def open_profile(self, sealed: bytes) -> ProfileDetails:
        """Open who the person is.

        Raises:
            RecordDamagedError: it was changed, or is another's.
        """
        return ProfileDetails(**_read(self._open("profile", sealed)))

    def seal_template(self, details: TemplateDetails) -> bytes:
        """Seal where a template came from."""
        return self._seal("template", _written(details))

    def open_template(self, sealed: bytes) -> TemplateDetails:
        """Open where a template came from.

        Raises:
            RecordDamagedError: it was changed, or is another's.
        """
        return TemplateDetails(**_read(self._open("template", sealed)))

    def seal_consent(self, details: ConsentDetails) -> bytes:
        """Seal what a person consented to."""
        return self._seal("consent", _written(details))

    def open_consent(self, sealed: bytes) -> ConsentDetails:
        """Open what a person consented to.

        Raises:
            RecordDamagedError: it was changed, or is another's.
        """
        return ConsentDetails(**_read(self._open("consent", sealed)))

    def seal_embedding(self, embedding: NDArray[np.float32], space: str) -> bytes:
        """Seal an embedding, bound to its space too."""
        return self._seal("embedding", embedding.astype("<f4").tobytes(), space)

    def open_embedding(self, sealed: bytes, space: str) -> bytes:
        """Open an embedding: little-endian float32.

        Raises:
            RecordDamagedError: it was changed, or is another's or of another space.
        """
        return self._open("embedding", sealed, space)

    def seal_image(self, picture: bytes) -> bytes:
        """Seal a picture's file."""
        return self._seal("image", picture)

    def open_image(self, sealed: bytes) -> bytes:
        """Open a picture's file.

        Raises:
            RecordDamagedError: it was changed, or is another's.
        """
        return self._open("image", sealed)

    def _seal(self, purpose: str, plain: bytes, *more: str) -> bytes:
        return seal(self.key, plain, purpose, self.home_id, self.profile_id, *more)

    def _open(self, purpose: str, sealed: bytes, *more: str) -> bytes:
        return open_sealed(self.key, sealed, purpose, self.home_id, self.profile_id, *more)


def embedding_size(sealed_bytes: int) -> int:
    """Return how many numbers an embedding has whose sealed form is so long."""
    return (sealed_bytes - OVERHEAD_BYTES) // 4


def _written(details: ProfileDetails | TemplateDetails | ConsentDetails) -> bytes:
    return json.dumps(vars(details), ensure_ascii=False, default=dict).encode()


def _read(plain: bytes) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(plain)
    except ValueError as error:
        raise RecordDamagedError("an encrypted record holds something else") from error
    return record
