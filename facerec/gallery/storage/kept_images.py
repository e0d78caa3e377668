"""Pictures of people that the operator chose to keep, sealed with the person's data key."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from facerec.gallery.encryption.sealed_records import Owner
from facerec.gallery.storage import schema
from facerec.gallery.storage.belonging import Belonging
from facerec.gallery.storage.query_parts import in_parts
from facerec.gallery.times import stored

__all__ = ["drop_unused_images", "insert_images", "read_images"]

_image, _template = schema.image.c, schema.template.c


def insert_images(connection: Connection, belongings: Iterable[Belonging], now: datetime) -> None:
    """Keep the pictures that come with new templates of people, each once a person."""
    theirs = [each for each in belongings if any(one.image for one in each.templates)]
    known = _known(connection, {each.number: each.owner for each in theirs})
    rows = [
        {"profile": each.number, "picture": each.owner.seal_image(image), "created": stored(now)}
        for each in theirs
        for sha256, image in {_sha256(one.image): one.image for one in each.templates}.items()
        if image and (each.number, sha256) not in known
    ]
    if rows:
        connection.execute(insert(schema.image), rows)


def read_images(connection: Connection, number: int, owner: Owner) -> Mapping[str, bytes]:
    """Return a person's kept pictures as they were handed in, by SHA-256, the oldest first.

    Raises:
        RecordDamagedError: one was changed, or is another's.
    """
    query = select(_image.picture).where(_image.profile == number).order_by(_image.number)
    opened = (owner.open_image(sealed) for sealed in connection.scalars(query))
    return {_sha256(picture): picture for picture in opened}


def drop_unused_images(connection: Connection, number: int, owner: Owner) -> None:
    """Delete a person's kept pictures that none of their templates was made of any more."""
    details = connection.scalars(select(_template.details).where(_template.profile == number))
    used = {owner.open_template(sealed).content_sha256 for sealed in details}
    rows = connection.execute(
        select(_image.number, _image.picture).where(_image.profile == number)
    ).all()
    for row in rows:
        if _sha256(owner.open_image(row.picture)) not in used:
            connection.execute(delete(schema.image).where(_image.number == row.number))


def _known(connection: Connection, owners: Mapping[int, Owner]) -> frozenset[tuple[int, str]]:
    """Return of which pictures, by SHA-256, some people have one already."""
    found = set()
    for some in in_parts(sorted(owners)):
        query = select(_image.profile, _image.picture).where(_image.profile.in_(some))
        for row in connection.execute(query):
            found.add((row.profile, _sha256(owners[row.profile].open_image(row.picture))))
    return frozenset(found)


def _sha256(picture: bytes) -> str:
    return hashlib.sha256(picture).hexdigest()
