"""Who is to be erased because their time is up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select

from facerec.gallery.receipt import ErasureReason
from facerec.gallery.storage import schema
from facerec.gallery.times import moment, stored

__all__ = ["WHEN_DUE", "Due", "reason_of"]

_profile, _consent = schema.profile.c, schema.consent.c


@dataclass(frozen=True)
class Due:
    """Somebody whose time is up.

    Attributes:
        profile_id: Who.
        reason: Why.
    """

    profile_id: str
    reason: ErasureReason


def _when_due() -> Select[Any]:
    """Select what tells of each person whether their time is up."""
    theirs = _consent.profile == _profile.number
    counts = {
        "standing": select(func.count()).where(theirs, _consent.withdrawn.is_(None)),
        "ever": select(func.count()).where(theirs),
    }
    return select(
        schema.profile,
        *(count.scalar_subquery().label(name) for name, count in counts.items()),
    ).order_by(_profile.number)


WHEN_DUE = _when_due()
"""What `reason_of` goes by, of everybody in the order of their enrolment."""


def reason_of(row: Any, now: datetime) -> ErasureReason | None:
    """Say why a person is to be erased; None if they are not."""
    if row.ever and not row.standing:
        return ErasureReason.WITHDRAWN
    if row.erase_on and row.erase_on <= stored(now):
        return ErasureReason.DATE
    if row.erase_unseen_days is not None:
        last = moment(row.last_seen or row.created)
        if last + timedelta(days=row.erase_unseen_days) <= now:
            return ErasureReason.UNSEEN
    return None
