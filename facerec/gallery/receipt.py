"""Receipts of erasures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from facerec.gallery.times import stored

__all__ = ["PROFILE_TAG", "ErasureReason", "Receipt", "row_of"]

PROFILE_TAG = "profile id"
"""Purpose of `Vault.tag` for `Receipt.profile_tag`."""


class ErasureReason(StrEnum):
    """Why a person is erased."""

    REQUESTED = "requested"
    DATE = "retention_date"
    UNSEEN = "not_seen"
    WITHDRAWN = "consent_withdrawn"


@dataclass(frozen=True)
class Receipt:
    """That a person was erased; what is stored of it tells nothing of whom.

    Attributes:
        receipt_id: Random id of the erasure.
        reason: Why.
        erased: When, UTC.
        templates: How many templates were erased.
        evidence_sha256: SHA-256 over what was erased as it was stored: the sealed data key, then
            the sealed templates in order of their numbers.
        profile_tag: The same for the same profile id, which it does not tell.
        revision: No search of this revision or a later one finds them; 0 in a receipt that is read
            again later.
    """

    receipt_id: str
    reason: ErasureReason
    erased: datetime
    templates: int
    evidence_sha256: str
    profile_tag: str
    revision: int = field(default=0, compare=False)


def row_of(receipt: Receipt) -> Mapping[str, object]:
    """Return the columns of a receipt."""
    columns = {name: value for name, value in vars(receipt).items() if name != "revision"}
    return columns | {"reason": receipt.reason.value, "erased": stored(receipt.erased)}
