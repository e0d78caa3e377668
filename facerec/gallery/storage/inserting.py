"""Storing many new people with two dozen statements, and five more for each further 500.

Whoever calls it holds the one write lock (`Database.writing`), so what is read here cannot change
before it is acted on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from facerec.errors import ProfileExistsError
from facerec.gallery.encryption.sealed_records import Owner, ProfileDetails
from facerec.gallery.encryption.vault import SealedKey, Vault
from facerec.gallery.profile import Consent, NewProfile, ProfileState
from facerec.gallery.storage import reading, schema
from facerec.gallery.storage.belonging import Belonging
from facerec.gallery.storage.query_parts import in_parts
from facerec.gallery.storage.writing import (
    consent_row,
    detail_columns,
    insert_templates,
    refuse_taken,
    validity_columns,
)
from facerec.gallery.times import stored

__all__ = ["insert_people"]

_profile = schema.profile.c


@dataclass(frozen=True, eq=False)
class _Newcomer:
    """A person who is about to be stored: what of them, what seals it, and its sealed key."""

    person: NewProfile
    owner: Owner
    key: SealedKey


def insert_people(
    connection: Connection, vault: Vault, people: Sequence[tuple[str, NewProfile]], now: datetime
) -> list[int]:
    """Store people, each with the id that they are to have; return their numbers.

    Raises:
        ProfileExistsError: an id, or an external id, is taken, or is given twice.
        GalleryNotFoundError: no gallery has a given name.
        EmbeddingSpaceError: an embedding has another length than those of its space.
        GalleryError: the end of a validity is not after its beginning.
    """
    galleries = _gallery_numbers(connection, [person for _, person in people])
    newcomers = [_newcomer(vault, profile_id, person) for profile_id, person in people]
    rows = [_profile_row(vault, each, now) for each in newcomers]
    _refuse_taken(connection, rows)
    connection.execute(insert(schema.profile), rows)
    numbers = _numbers(connection, [profile_id for profile_id, _ in people])
    stored_as = list(zip(numbers, newcomers, strict=True))
    keys = [
        {"profile": number, "master_key_id": each.key.master_key_id, "wrapped": each.key.wrapped}
        for number, each in stored_as
    ]
    connection.execute(insert(schema.data_key), keys)
    members = [
        {"gallery": galleries[name], "profile": number}
        for number, each in stored_as
        for name in dict.fromkeys(each.person.galleries)
    ]
    connection.execute(insert(schema.membership), members)
    belongings = [
        Belonging(number, each.owner, each.person.templates) for number, each in stored_as
    ]
    insert_templates(connection, belongings, now)
    consents = [_consent(number, each, now) for number, each in stored_as if each.person.consent]
    if consents:
        connection.execute(insert(schema.consent), consents)
    return numbers


def _newcomer(vault: Vault, profile_id: str, person: NewProfile) -> _Newcomer:
    key, sealed = vault.new_key(profile_id)
    return _Newcomer(person, Owner(vault.home_id, profile_id, key), sealed)


def _numbers(connection: Connection, profile_ids: Sequence[str]) -> list[int]:
    """Return the numbers of people by their ids.

    SQLite tells them with the insertion only of one person at a time.
    """
    found: dict[str, int] = {}
    for some in in_parts(profile_ids):
        query = select(_profile.profile_id, _profile.number).where(_profile.profile_id.in_(some))
        found.update((row.profile_id, row.number) for row in connection.execute(query))
    return [found[profile_id] for profile_id in profile_ids]


def _consent(number: int, newcomer: _Newcomer, now: datetime) -> Mapping[str, object]:
    consent = Consent("identification", "consent", newcomer.person.consent, given=now)
    return consent_row(number, newcomer.owner, consent)


def _gallery_numbers(connection: Connection, people: Sequence[NewProfile]) -> dict[str, int]:
    names = sorted({name for person in people for name in person.galleries})
    return dict(zip(names, reading.gallery_numbers(connection, names), strict=True))


def _profile_row(vault: Vault, newcomer: _Newcomer, now: datetime) -> dict[str, object]:
    person, owner = newcomer.person, newcomer.owner
    details = ProfileDetails(person.name, person.external_id, dict(person.attributes))
    return {
        "profile_id": owner.profile_id,
        "state": ProfileState.ACTIVE.value,
        "created": stored(now),
        **detail_columns(vault, owner, details),
        **validity_columns(person.valid_from, person.valid_until),
    }


def _refuse_taken(connection: Connection, rows: Sequence[dict[str, object]]) -> None:
    """Refuse ids and external ids that others have, or two of the new people."""
    ids = [str(row["profile_id"]) for row in rows]
    taken = _twice(ids) or next(
        (
            found
            for some in in_parts(ids)
            for found in connection.scalars(
                select(_profile.profile_id).where(_profile.profile_id.in_(some))
            )
        ),
        None,
    )
    if taken is not None:
        raise ProfileExistsError(f"a profile with the id {taken!r} exists; choose another")
    tags = [str(row["external_tag"]) for row in rows if row["external_tag"] is not None]
    refuse_taken(external_id=_twice(tags) is not None)
    for some in in_parts(tags):
        query = select(_profile.number).where(_profile.external_tag.in_(some)).limit(1)
        refuse_taken(external_id=connection.scalar(query) is not None)


def _twice(values: Sequence[str]) -> str | None:
    """Return a value that is there more than once, None when there is none."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None
