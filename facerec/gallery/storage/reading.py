"""What is read from the gallery's database."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, bindparam, func, select

from facerec.errors import GalleryNotFoundError, ProfileNotFoundError, RecordDamagedError
from facerec.gallery.encryption.sealed_records import Owner
from facerec.gallery.encryption.vault import SealedKey, Vault
from facerec.gallery.profile import Template
from facerec.gallery.storage import schema
from facerec.gallery.times import moment

__all__ = [
    "EXTERNAL_TAG",
    "NAME_TAG",
    "content_of",
    "count_without",
    "decode_embeddings",
    "enrolled_content",
    "find_external",
    "gallery_names",
    "gallery_numbers",
    "known_revision",
    "no_profile",
    "open_owner",
    "owner_of",
    "profile_number",
    "profiles_named",
    "read_revision",
    "read_templates",
]

NAME_TAG, EXTERNAL_TAG = "name", "external id"
"""Purposes of `Vault.tag`."""
_profile, _template, _key = schema.profile.c, schema.template.c, schema.data_key.c
_gallery, _membership = schema.gallery.c, schema.membership.c

# Made once: to put such a question together takes SQLAlchemy longer than SQLite to answer it.
_REVISION = select(schema.home.c.revision)
_GALLERIES = select(_gallery.name, _gallery.number)
_NUMBER = select(_profile.number).where(_profile.profile_id == bindparam("profile_id"))
_NAMED = (
    select(_profile.profile_id)
    .where(_profile.name_tag == bindparam("tag"))
    .order_by(_profile.number)
)
_CONTENT_OF_NAMED = (
    select(_profile.number, _template.details)
    .join_from(schema.profile, schema.template)
    .where(_profile.name_tag == bindparam("tag"))
    .order_by(_profile.number)
)


def read_revision(connection: Connection) -> int:
    """Return how often the database has been changed.

    Raises:
        RecordDamagedError: it is not there.
    """
    return known_revision(connection.scalar(_REVISION))


def known_revision(found: int | None) -> int:
    """Return what was read as the revision.

    Raises:
        RecordDamagedError: it is not there.
    """
    if found is None:
        raise RecordDamagedError("its revision is missing")
    return int(found)


def gallery_names(connection: Connection) -> tuple[str, ...]:
    """Return the names of all galleries, sorted."""
    return tuple(sorted(connection.scalars(select(_gallery.name))))  # not by a server's locale


def gallery_numbers(connection: Connection, names: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers of galleries.

    Raises:
        GalleryNotFoundError: there is none of a name; the message names those that there are.
    """
    found = connection.execute(_GALLERIES).all()
    numbers = {row.name: int(row.number) for row in found}
    for name in names:
        if name not in numbers:
            raise GalleryNotFoundError(
                f"no gallery is named {name!r}; there are: {', '.join(sorted(numbers))} "
                "(enroll --create-gallery makes one)"
            )
    return tuple(numbers[name] for name in names)


def profile_number(connection: Connection, profile_id: str) -> int:
    """Return the number of a person.

    Raises:
        ProfileNotFoundError: no profile has that id.
    """
    number = connection.scalar(_NUMBER, {"profile_id": profile_id})
    if number is None:
        raise no_profile(profile_id)
    return int(number)


def no_profile(profile_id: str) -> ProfileNotFoundError:
    """Return what is raised where no profile has an id."""
    return ProfileNotFoundError(
        f"no profile has the id {profile_id!r}; `facerec profiles list` shows those there are"
    )


def owner_of(connection: Connection, vault: Vault, number: int) -> Owner:
    """Return what opens and seals what belongs to a person.

    Raises:
        RecordDamagedError: their data key is missing or was changed.
        MasterKeyError: the master key is another one.
    """
    query = (
        select(_profile.profile_id, _key.master_key_id, _key.wrapped)
        .join_from(schema.profile, schema.data_key, isouter=True)
        .where(_profile.number == number)
    )
    row = connection.execute(query).one()
    return open_owner(vault, row.profile_id, row.master_key_id, row.wrapped)


def open_owner(
    vault: Vault, profile_id: str, master_key_id: str | None, wrapped: bytes | None
) -> Owner:
    """Return what opens and seals what belongs to the person of a stored data key.

    Raises:
        RecordDamagedError: the key is missing or was changed.
        MasterKeyError: the master key is another one.
    """
    if master_key_id is None or wrapped is None:
        raise RecordDamagedError("the data key of a person is missing")
    key = vault.unwrap(SealedKey(master_key_id, wrapped), profile_id)
    return Owner(vault.home_id, profile_id, key)


def read_templates(connection: Connection, vault: Vault, profile_id: str) -> tuple[Template, ...]:
    """Return a person's templates, oldest first.

    Raises:
        ProfileNotFoundError: no profile has that id.
    """
    number = profile_number(connection, profile_id)
    owner = owner_of(connection, vault, number)
    query = select(schema.template).where(_template.profile == number).order_by(_template.number)
    return tuple(_template_of(owner, row) for row in connection.execute(query))


def enrolled_content(connection: Connection, vault: Vault, name: str) -> dict[str, frozenset[str]]:
    """Return, for each profile of that display name, the SHA-256 of the pictures it was made of."""
    theirs = connection.execute(_CONTENT_OF_NAMED, {"tag": vault.tag(NAME_TAG, name)}).all()
    found: dict[str, frozenset[str]] = {}
    for number, rows in groupby(theirs, key=lambda row: row.number):
        owner = owner_of(connection, vault, number)
        hashes = {owner.open_template(row.details).content_sha256 for row in rows}
        if hashes - {""}:
            found[owner.profile_id] = frozenset(hashes - {""})
    return found


def content_of(connection: Connection, vault: Vault, profile_id: str) -> frozenset[str]:
    """Return the SHA-256 of the pictures that a person's templates were made of.

    Raises:
        ProfileNotFoundError: no profile has that id.
    """
    number = profile_number(connection, profile_id)
    owner = owner_of(connection, vault, number)
    sealed = connection.scalars(select(_template.details).where(_template.profile == number))
    return frozenset(owner.open_template(each).content_sha256 for each in sealed) - {""}


def profiles_named(connection: Connection, vault: Vault, name: str) -> tuple[str, ...]:
    """Return the ids of the profiles of a display name, in the order of their enrolment."""
    return tuple(connection.scalars(_NAMED, {"tag": vault.tag(NAME_TAG, name)}))


def count_without(connection: Connection, embedding_space: str) -> int:
    """Return how many people have no template of a space."""
    theirs = select(_template.profile).where(_template.embedding_space == embedding_space)
    query = select(func.count()).select_from(schema.profile).where(_profile.number.not_in(theirs))
    return int(connection.scalar(query) or 0)


def find_external(connection: Connection, vault: Vault, external_id: str) -> str | None:
    """Return the id of the profile with an external id; None when there is none."""
    tag = vault.tag(EXTERNAL_TAG, external_id)
    return connection.scalar(select(_profile.profile_id).where(_profile.external_tag == tag))


def decode_embeddings(blobs: Sequence[bytes]) -> NDArray[np.float32]:
    """Turn opened embeddings of one space into float32 (n, d).

    Raises:
        RecordDamagedError: they differ in length, or one is not a unit vector.
    """
    size = len(blobs[0])
    if not size or size % 4 or any(len(blob) != size for blob in blobs):
        raise RecordDamagedError("a template has a wrong length")
    stored = np.frombuffer(b"".join(blobs), "<f4").reshape(len(blobs), -1)
    embeddings = stored.astype(np.float32)
    # NaN fails every comparison, so ask for what must hold rather than for what must not.
    if not np.all(np.abs(np.linalg.norm(embeddings, axis=1) - 1.0) < 1e-2):
        raise RecordDamagedError("a template is not a unit vector")
    return embeddings


def _template_of(owner: Owner, row: Row[Any]) -> Template:
    details = owner.open_template(row.details)
    return Template(
        embedding=decode_embeddings([owner.open_embedding(row.embedding, row.embedding_space)])[0],
        embedding_space=row.embedding_space,
        quality=row.quality,
        source=details.source,
        content_sha256=details.content_sha256,
        captured=moment(details.captured) if details.captured else None,
        accepted=tuple(details.accepted),
        template_id=row.number,
        profile_id=owner.profile_id,
        created=moment(row.created),
    )
