"""Storing many new people with a dozen statements, however many they are.

Whoever calls it holds the one write lock (`Database.writing`), so what is read here cannot change
before it is acted on.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select

from facerec.errors import ProfileExistsError
from facerec.gallery import reading, schema
from facerec.gallery.profile import Consent, NewProfile, ProfileState
from facerec.gallery.sealed_records import Owner, ProfileDetails
from facerec.gallery.times import stored
from facerec.gallery.vault import Vault
from facerec.gallery.writing import (
    Belonging,
    consent_row,
    detail_columns,
    insert_templates,
    refuse_taken,
    validity_columns,
)

__all__ = ["insert_people"]

_AT_ONCE = 500
"""So many values are named in a query."""

_profile = schema.profile.c


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
    owners, rows = [], []
    sealed_keys = []
    for profile_id, person in people:
        key, sealed = vault.new_key(profile_id)
        owner = Owner(vault.home_id, profile_id, key)
        owners.append(owner)
        sealed_keys.append(sealed)
        rows.append(_profile_row(vault, owner, person, now))
    _refuse_taken(connection, rows)
    statement = insert(schema.profile).returning(_profile.number, sort_by_parameter_order=True)
    numbers = [int(number) for number in connection.scalars(statement, rows)]
    keys = [
        {"profile": number, "master_key_id": sealed.master_key_id, "wrapped": sealed.wrapped}
        for number, sealed in zip(numbers, sealed_keys, strict=True)
    ]
    connection.execute(insert(schema.data_key), keys)
    members = [
        {"gallery": galleries[name], "profile": number}
        for number, (_, person) in zip(numbers, people, strict=True)
        for name in dict.fromkeys(person.galleries)
    ]
    connection.execute(insert(schema.membership), members)
    belongings = [
        Belonging(number, owner, person.templates)
        for number, owner, (_, person) in zip(numbers, owners, people, strict=True)
    ]
    insert_templates(connection, belongings, now)
    consents = [
        consent_row(
            each.number, each.owner, Consent("identification", "consent", person.consent, given=now)
        )
        for each, (_, person) in zip(belongings, people, strict=True)
        if person.consent
    ]
    if consents:
        connection.execute(insert(schema.consent), consents)
    return numbers


def _gallery_numbers(connection: Connection, people: Sequence[NewProfile]) -> dict[str, int]:
    names = sorted({name for person in people for name in person.galleries})
    return dict(zip(names, reading.gallery_numbers(connection, names), strict=True))


def _profile_row(
    vault: Vault, owner: Owner, person: NewProfile, now: datetime
) -> dict[str, object]:
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
            for some in _some(ids)
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
    for some in _some(tags):
        query = select(_profile.number).where(_profile.external_tag.in_(some)).limit(1)
        refuse_taken(external_id=connection.scalar(query) is not None)


def _some(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


def _twice(values: Sequence[str]) -> str | None:
    """Return a value that is there more than once, None when there is none."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None
