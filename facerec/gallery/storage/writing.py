"""What is written to the gallery's database; each function runs inside one transaction.

Whoever writes holds the one write lock (`Database.writing`), so what is read here cannot change
before it is acted on.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from facerec.errors import EmbeddingSpaceError, GalleryError, ProfileExistsError
from facerec.gallery.encryption.sealed_records import (
    ConsentDetails,
    Owner,
    ProfileDetails,
    TemplateDetails,
    embedding_size,
)
from facerec.gallery.encryption.vault import Vault
from facerec.gallery.profile import Consent, NewTemplate
from facerec.gallery.storage import schema
from facerec.gallery.storage.belonging import Belonging
from facerec.gallery.storage.kept_images import insert_images
from facerec.gallery.storage.reading import EXTERNAL_TAG, NAME_TAG
from facerec.gallery.times import stored

__all__ = [
    "consent_row",
    "detail_columns",
    "insert_consent",
    "insert_gallery",
    "insert_memberships",
    "insert_templates",
    "note_revision",
    "noted_revision",
    "profile_columns",
    "record_change",
    "refuse_taken",
    "update_profile",
    "validity_columns",
]


_REVISION = "revision"
"""Name of what a connection remembers beside SQLAlchemy's own."""


def insert_gallery(connection: Connection, name: str, now: datetime) -> bool:
    """Add a gallery; return False when there is one of that name."""
    columns = schema.gallery.c
    if connection.scalar(select(columns.number).where(columns.name == name)) is not None:
        return False
    connection.execute(insert(schema.gallery).values(name=name, created=stored(now)))
    return True


def profile_columns(
    connection: Connection, vault: Vault, owner: Owner, details: ProfileDetails, number: int
) -> Mapping[str, object]:
    """Return the columns that are to say who a person is.

    Args:
        connection: Searched for another person with that external id.
        vault: Makes the tags.
        owner: Seals the details.
        details: Who they are.
        number: Of the person.

    Raises:
        ProfileExistsError: the external id is another person's.
    """
    found = detail_columns(vault, owner, details)
    columns = schema.profile.c
    tag = found["external_tag"]
    if tag is not None:
        holder = connection.scalar(select(columns.number).where(columns.external_tag == tag))
        refuse_taken(external_id=holder not in (None, number))
    return found


def detail_columns(vault: Vault, owner: Owner, details: ProfileDetails) -> dict[str, object]:
    """Return the columns that say who a person is, who has the external id or not."""
    tag = vault.tag(EXTERNAL_TAG, details.external_id) if details.external_id else None
    return {
        "name_tag": vault.tag(NAME_TAG, details.name),
        "external_tag": tag,
        "details": owner.seal_profile(details),
    }


def refuse_taken(*, external_id: bool) -> None:
    """Refuse an external id, when it is true that it is another person's.

    Raises:
        ProfileExistsError: it is.
    """
    if external_id:
        raise ProfileExistsError(
            "a profile with that external id exists; update it, or give another"
        )


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
    connection.execute(insert(schema.consent), [consent_row(number, owner, consent)])


def consent_row(number: int, owner: Owner, consent: Consent) -> Mapping[str, object]:
    """Return the columns of a person's consent."""
    details = ConsentDetails(consent.purpose, consent.legal_basis, consent.evidence)
    return {
        "profile": number,
        "details": owner.seal_consent(details),
        "given": stored(consent.given),
        "withdrawn": None if consent.withdrawn is None else stored(consent.withdrawn),
    }


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
    connection: Connection, belongings: Sequence[Belonging], now: datetime
) -> None:
    """Add templates to people.

    Raises:
        EmbeddingSpaceError: an embedding has another length than those of its space.
    """
    _check_sizes(connection, [one for each in belongings for one in each.templates])
    rows = [
        {
            "profile": each.number,
            "embedding_space": template.embedding_space,
            "embedding": each.owner.seal_embedding(template.embedding, template.embedding_space),
            "details": each.owner.seal_template(_details(template)),
            "quality": float(template.quality),
            "created": stored(now),
        }
        for each in belongings
        for template in each.templates
    ]
    if rows:
        connection.execute(insert(schema.template), rows)
    insert_images(connection, belongings, now)


def update_profile(connection: Connection, number: int, **columns: object) -> None:
    """Set columns of a person."""
    statement = update(schema.profile).where(schema.profile.c.number == number)
    connection.execute(statement.values(**columns))


def note_revision(connection: Connection, revision: int) -> None:
    """Remember for `noted_revision` which revision a transaction makes; asking would cost time."""
    connection.info[_REVISION] = revision


def noted_revision(connection: Connection) -> int:
    """Return the revision that a transaction makes; the one that it found if it changes nobody."""
    return int(connection.info[_REVISION])


def record_change(connection: Connection, people: Iterable[int]) -> int:
    """Raise the revision, note whom the change touches, and return the new revision."""
    statement = update(schema.home).values(revision=schema.home.c.revision + 1)
    revision = int(connection.execute(statement.returning(schema.home.c.revision)).scalar_one())
    rows = [{"revision": revision, "profile": number} for number in people]
    if rows:
        connection.execute(insert(schema.change), rows)
    note_revision(connection, revision)
    return revision


def _details(template: NewTemplate) -> TemplateDetails:
    captured = "" if template.captured is None else stored(template.captured)
    return TemplateDetails(template.source, template.content_sha256, captured, template.accepted)


def _check_sizes(connection: Connection, templates: Sequence[NewTemplate]) -> None:
    sizes: dict[str, set[int]] = {}
    for template in templates:
        sizes.setdefault(template.embedding_space, set()).add(template.embedding.size)
    columns = schema.template.c
    for space, received in sizes.items():
        sealed = connection.scalar(
            select(func.length(columns.embedding)).where(columns.embedding_space == space).limit(1)
        )
        expected = min(received) if sealed is None else embedding_size(sealed)
        if received != {expected}:
            raise EmbeddingSpaceError(
                f"embeddings of the space {space} have {expected} numbers; received "
                f"{max(received - {expected})}"
            )
