"""What is written to the gallery's database; each function runs inside one transaction.

Whoever writes holds the one write lock (`Database.writing`), so what is read here cannot change
before it is acted on.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from facerec.errors import EmbeddingSpaceError, GalleryError, ProfileExistsError
from facerec.gallery import schema
from facerec.gallery.kept_images import insert_images
from facerec.gallery.profile import Consent, NewProfile, NewTemplate, ProfileState
from facerec.gallery.reading import EXTERNAL_TAG, NAME_TAG
from facerec.gallery.sealed_records import (
    ConsentDetails,
    Owner,
    ProfileDetails,
    TemplateDetails,
    embedding_size,
)
from facerec.gallery.times import stored
from facerec.gallery.vault import Vault

__all__ = [
    "insert_consent",
    "insert_gallery",
    "insert_memberships",
    "insert_profile",
    "insert_templates",
    "profile_columns",
    "record_change",
    "update_profile",
    "validity_columns",
]


def insert_gallery(connection: Connection, name: str, now: datetime) -> bool:
    """Add a gallery; return False when there is one of that name."""
    columns = schema.gallery.c
    if connection.scalar(select(columns.number).where(columns.name == name)) is not None:
        return False
    connection.execute(insert(schema.gallery).values(name=name, created=stored(now)))
    return True


def insert_profile(
    connection: Connection, vault: Vault, profile_id: str, person: NewProfile, now: datetime
) -> tuple[int, Owner]:
    """Add a person without templates; return their number and what seals what is theirs.

    Raises:
        ProfileExistsError: the id, or the external id, is taken.
    """
    columns = schema.profile.c
    if connection.scalar(select(columns.number).where(columns.profile_id == profile_id)):
        raise ProfileExistsError(f"a profile with the id {profile_id!r} exists; choose another")
    key, sealed = vault.new_key(profile_id)
    owner = Owner(vault.home_id, profile_id, key)
    details = ProfileDetails(person.name, person.external_id, dict(person.attributes))
    statement = insert(schema.profile).values(
        profile_id=profile_id,
        state=ProfileState.ACTIVE.value,
        created=stored(now),
        **profile_columns(connection, vault, owner, details, None),
        **validity_columns(person.valid_from, person.valid_until),
    )
    number = int(connection.execute(statement.returning(columns.number)).scalar_one())
    connection.execute(
        insert(schema.data_key).values(
            profile=number, master_key_id=sealed.master_key_id, wrapped=sealed.wrapped
        )
    )
    return number, owner


def profile_columns(
    connection: Connection,
    vault: Vault,
    owner: Owner,
    details: ProfileDetails,
    number: int | None,
) -> Mapping[str, object]:
    """Return the columns that say who a person is.

    Args:
        connection: Searched for another person with that external id.
        vault: Makes the tags.
        owner: Seals the details.
        details: Who they are.
        number: Of the person; None for a new one.

    Raises:
        ProfileExistsError: the external id is another person's.
    """
    tag = vault.tag(EXTERNAL_TAG, details.external_id) if details.external_id else None
    if tag is not None:
        columns = schema.profile.c
        holder = connection.scalar(select(columns.number).where(columns.external_tag == tag))
        if holder not in (None, number):
            raise ProfileExistsError(
                "a profile with that external id exists; update it, or give another"
            )
    return {
        "name_tag": vault.tag(NAME_TAG, details.name),
        "external_tag": tag,
        "details": owner.seal_profile(details),
    }


def validity_columns(
    valid_from: datetime | None, valid_until: datetime | None
) -> Mapping[str, object]:
    """Return the columns that say when a person may be matched.

    Raises:
        GalleryError: the end is not after the beginning.
    """
    first = None if valid_from is None else stored(valid_from)
    last = None if valid_until is None else stored(valid_until)
    if first is not None and last is not None and last <= first:
        raise GalleryError("a person's validity must end after it begins")
    return {"valid_from": first, "valid_until": last}


def insert_consent(connection: Connection, number: int, owner: Owner, consent: Consent) -> None:
    """Add a record of a person's consent."""
    details = ConsentDetails(consent.purpose, consent.legal_basis, consent.evidence)
    connection.execute(
        insert(schema.consent).values(
            profile=number,
            details=owner.seal_consent(details),
            given=stored(consent.given),
            withdrawn=None if consent.withdrawn is None else stored(consent.withdrawn),
        )
    )


def insert_memberships(connection: Connection, number: int, galleries: Iterable[int]) -> None:
    """Put a person into galleries; those that they are in already stay as they are."""
    columns = schema.membership.c
    present = set(connection.scalars(select(columns.gallery).where(columns.profile == number)))
    rows = [
        {"gallery": gallery, "profile": number}
        for gallery in dict.fromkeys(galleries)
        if gallery not in present
    ]
    if rows:
        connection.execute(insert(schema.membership), rows)


def insert_templates(
    connection: Connection,
    number: int,
    owner: Owner,
    templates: Sequence[NewTemplate],
    now: datetime,
) -> None:
    """Add templates to a person.

    Raises:
        EmbeddingSpaceError: an embedding has another length than those of its space.
    """
    if not templates:
        return
    for space in {template.embedding_space for template in templates}:
        _check_sizes(connection, space, templates)
    rows = [
        {
            "profile": number,
            "embedding_space": template.embedding_space,
            "embedding": owner.seal_embedding(template.embedding, template.embedding_space),
            "details": owner.seal_template(_details(template)),
            "quality": float(template.quality),
            "created": stored(now),
        }
        for template in templates
    ]
    connection.execute(insert(schema.template), rows)
    insert_images(connection, number, owner, templates, now)


def update_profile(connection: Connection, number: int, **columns: object) -> None:
    """Set columns of a person."""
    statement = update(schema.profile).where(schema.profile.c.number == number)
    connection.execute(statement.values(**columns))


def record_change(connection: Connection, people: Iterable[int]) -> int:
    """Raise the revision, note whom the change touches, and return the new revision."""
    statement = update(schema.home).values(revision=schema.home.c.revision + 1)
    revision = int(connection.execute(statement.returning(schema.home.c.revision)).scalar_one())
    rows = [{"revision": revision, "profile": number} for number in people]
    if rows:
        connection.execute(insert(schema.change), rows)
    return revision


def _details(template: NewTemplate) -> TemplateDetails:
    captured = "" if template.captured is None else stored(template.captured)
    return TemplateDetails(template.source, template.content_sha256, captured, template.accepted)


def _check_sizes(connection: Connection, space: str, templates: Sequence[NewTemplate]) -> None:
    sizes = {t.embedding.size for t in templates if t.embedding_space == space}
    columns = schema.template.c
    sealed = connection.scalar(
        select(func.length(columns.embedding)).where(columns.embedding_space == space).limit(1)
    )
    expected = min(sizes) if sealed is None else embedding_size(sealed)
    if sizes != {expected}:
        raise EmbeddingSpaceError(
            f"embeddings of the space {space} have {expected} numbers; received {max(sizes)}"
        )
