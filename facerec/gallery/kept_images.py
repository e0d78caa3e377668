"""Pictures of people that the operator chose to keep, sealed with the person's data key."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from facerec.gallery import schema
from facerec.gallery.profile import NewTemplate
from facerec.gallery.sealed_records import Owner
from facerec.gallery.times import stored

__all__ = ["drop_unused_images", "insert_images", "read_images"]

_image, _template = schema.image.c, schema.template.c


def insert_images(
    connection: Connection,
    number: int,
    owner: Owner,
    templates: Iterable[NewTemplate],
    now: datetime,
) -> None:
    """Keep the pictures that come with new templates of a person, each once."""
    pictures = {_sha256(one.image): one.image for one in templates if one.image}
    if not pictures:
        return
    known = read_images(connection, number, owner)
    rows = [
        {"profile": number, "picture": owner.seal_image(picture), "created": stored(now)}
        for sha256, picture in pictures.items()
        if sha256 not in known
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


def _sha256(picture: bytes) -> str:
    return hashlib.sha256(picture).hexdigest()
