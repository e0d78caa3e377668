"""What the commands tell of a person: as JSON, and the state in words."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facerec.gallery.profile import Profile

__all__ = ["profile_record", "short_record", "state_of"]


def state_of(profile: "Profile") -> str:
    """Return a person's state in words, which tell validity that is over from one to come."""
    from facerec.gallery.profile import ProfileState

    begins = profile.valid_from
    if profile.state is ProfileState.EXPIRED and begins is not None and begins > datetime.now(UTC):
        return "not yet valid"
    return profile.state.value


def profile_record(profile: "Profile") -> dict[str, Any]:
    """Return the JSON form of all that is held of a person but the templates."""
    return short_record(profile) | {
        "consent": profile.consent,
        "created": profile.created,
        "external_id": profile.external_id,
        "attributes": dict(profile.attributes),
        "valid_from": profile.valid_from,
        "valid_until": profile.valid_until,
        "last_seen": profile.last_seen,
        "erase_on": profile.retention.erase_on,
        "erase_unseen_days": profile.retention.erase_unseen_days,
        "consents": profile.consents,
    }


def short_record(profile: "Profile") -> dict[str, Any]:
    """Return the JSON form of a person in a list."""
    return {
        "profile_id": profile.profile_id,
        "name": profile.name,
        "galleries": profile.galleries,
        "state": profile.state.value,
        "templates": profile.templates,
    }
