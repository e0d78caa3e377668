"""Reading people from the gallery's database."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from facerec.gallery.encryption.sealed_records import Owner
from facerec.gallery.encryption.vault import Vault
from facerec.gallery.profile import Consent, Profile, ProfileState, Retention
from facerec.gallery.storage import schema
from facerec.gallery.storage.reading import (
    gallery_numbers,
    known_revision,
    no_profile,
    open_owner,
    read_revision,
)
from facerec.gallery.times import moment

__all__ = ["read_profile", "read_profiles", "read_profiles_of"]

_profile, _template, _key = schema.profile.c, schema.template.c, schema.data_key.c
_gallery, _membership, _consent = schema.gallery.c, schema.membership.c, schema.consent.c

_FEW = 1000
"""So many people are named in a query; of more, all are read and the rest dropped."""

_PEOPLE = select(schema.profile, _key.master_key_id, _key.wrapped).join_from(
    schema.profile, schema.data_key, isouter=True
)
_COUNTS = select(_template.profile, func.count()).group_by(_template.profile)
_MEMBERSHIPS = select(_membership.profile, _gallery.name).join_from(
    schema.membership, schema.gallery
)
_CONSENTS = select(schema.consent).order_by(_consent.number)

# One person is read for each that is recognised, so these are made once.
_ONE = _PEOPLE.add_columns(
    select(func.count())
    .where(_template.profile == _profile.number)
    .scalar_subquery()
    .label("templates"),
    select(schema.home.c.revision).scalar_subquery().label("revision"),
).where(_profile.profile_id == bindparam("profile_id"))
_THEIR_GALLERIES = _MEMBERSHIPS.where(_membership.profile == bindparam("number"))
_THEIR_CONSENTS = _CONSENTS.where(_consent.profile == bindparam("number"))


def read_profile(connection: Connection, vault: Vault, profile_id: str, now: str) -> Profile:
    """Return one person as of a moment, which is given as times are stored.

    Raises:
        ProfileNotFoundError: no profile has that id.
        MasterKeyError: the master key is another one.
    """
    row = connection.execute(_ONE, {"profile_id": profile_id}).one_or_none()
    if row is None:
        raise no_profile(profile_id)
    number, revision = {"number": row.number}, known_revision(row.revision)
    galleries = [member.name for member in connection.execute(_THEIR_GALLERIES, number)]
    consents = connection.execute(_THEIR_CONSENTS, number).all()
    return _profile_of(vault, row, galleries, row.templates, consents, now, revision)


def read_profiles(
    connection: Connection, vault: Vault, gallery: str | None, now: str
) -> tuple[Profile, ...]:
    """Return the people of a gallery, or all, in the order in which they were enrolled.

    Raises:
        GalleryNotFoundError: no gallery has that name.
        MasterKeyError: the master key is another one.
    """
    if gallery is None:
        return read_profiles_of(connection, vault, None, now)
    (number,) = gallery_numbers(connection, [gallery])
    members = select(_membership.profile).where(_membership.gallery == number)
    return read_profiles_of(connection, vault, list(connection.scalars(members)), now)


def read_profiles_of(
    connection: Connection, vault: Vault, numbers: list[int] | None, now: str
) -> tuple[Profile, ...]:
    """Return people by number, all for None, with five queries however many they are."""
    wanted = None if numbers is None else frozenset(numbers)
    people, counts = _PEOPLE.order_by(_profile.number), _COUNTS
    memberships, consents = _MEMBERSHIPS, _CONSENTS
    if wanted is not None and len(wanted) <= _FEW:
        people = people.where(_profile.number.in_(wanted))
        counts = counts.where(_template.profile.in_(wanted))
        memberships = memberships.where(_membership.profile.in_(wanted))
        consents = consents.where(_consent.profile.in_(wanted))
    templates = {number: count for number, count in connection.execute(counts)}
    galleries = _by_person(connection, memberships)
    given = _by_person(connection, consents)
    revision = read_revision(connection)
    return tuple(
        _profile_of(
            vault,
            row,
            [member.name for member in galleries.get(row.number, ())],
            templates.get(row.number, 0),
            given.get(row.number, ()),
            now,
            revision,
        )
        for row in connection.execute(people)
        if wanted is None or row.number in wanted
    )


def _by_person(connection: Connection, query: Select[Any]) -> dict[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.profile, []).append(row)
    return found


def _profile_of(
    vault: Vault,
    row: Row[Any],
    galleries: Iterable[str],
    templates: int,
    consents: Iterable[Row[Any]],
    now: str,
    revision: int,
) -> Profile:
    owner = open_owner(vault, row.profile_id, row.master_key_id, row.wrapped)
    details = owner.open_profile(row.details)
    given = tuple(_consent_of(owner, consent) for consent in consents)
    return Profile(
        profile_id=row.profile_id,
        name=details.name,
        galleries=tuple(sorted(galleries)),
        state=_state(row, now),
        consent=next((c.evidence for c in reversed(given) if c.withdrawn is None), ""),
        templates=templates,
        created=moment(row.created),
        external_id=details.external_id,
        attributes=details.attributes,
        valid_from=moment(row.valid_from) if row.valid_from else None,
        valid_until=moment(row.valid_until) if row.valid_until else None,
        last_seen=moment(row.last_seen) if row.last_seen else None,
        retention=Retention(moment(row.erase_on) if row.erase_on else None, row.erase_unseen_days),
        consents=given,
        revision=revision,
    )


def _state(row: Row[Any], now: str) -> ProfileState:
    begun = row.valid_from is None or row.valid_from <= now
    ended = row.valid_until is not None and row.valid_until <= now
    state = ProfileState(row.state)
    return ProfileState.EXPIRED if state is ProfileState.ACTIVE and (ended or not begun) else state


def _consent_of(owner: Owner, row: Row[Any]) -> Consent:
    details = owner.open_consent(row.details)
    return Consent(
        purpose=details.purpose,
        legal_basis=details.legal_basis,
        evidence=details.evidence,
        given=moment(row.given),
        withdrawn=moment(row.withdrawn) if row.withdrawn else None,
        consent_id=row.number,
    )
