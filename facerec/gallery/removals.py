"""Taking single templates, and galleries that nobody is in, out of a database."""

import copy
from typing import Self

from sqlalchemy import delete, func, select

from facerec.errors import GalleryStateError, TemplateNotFoundError
from facerec.gallery.audit.event import AuditEvent, AuditKind
from facerec.gallery.audit.journal import Recorder
from facerec.gallery.identifiers import DEFAULT_GALLERY
from facerec.gallery.storage import reading, schema
from facerec.gallery.storage.database import Database
from facerec.gallery.storage.kept_images import drop_unused_images

__all__ = ["Removals"]

_template, _membership = schema.template.c, schema.membership.c


class Removals:
    """Removes what is stored of people who stay enrolled."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder

    def by(self, recorder: Recorder) -> Self:
        """Return the same that records on another's behalf."""
        other = copy.copy(self)
        other._recorder = recorder
        return other

    def delete_template(self, profile_id: str, template_id: int) -> int:
        """Delete one of a person's templates, in the snapshot of the index too.

        Returns:
            The revision from which on no search compares with it.

        Raises:
            ProfileNotFoundError: no profile has that id.
            TemplateNotFoundError: the person has no such template.
            GalleryStateError: it is their last one.
        """
        with self._database.writing() as connection:
            number = reading.profile_number(connection, profile_id)
            theirs = set(
                connection.scalars(select(_template.number).where(_template.profile == number))
            )
            if template_id not in theirs:
                raise TemplateNotFoundError(f"the profile has no template {template_id}")
            if len(theirs) == 1:
                raise GalleryStateError(
                    "this is the person's last template; add another first, or erase the person"
                )
            connection.execute(delete(schema.template).where(_template.number == template_id))
            owner = reading.owner_of(connection, self._database.vault, number)
            drop_unused_images(connection, number, owner)
            # The snapshot holds it too; without its key nobody can read it.
            connection.execute(delete(schema.snapshot))
            event = AuditEvent(
                AuditKind.TEMPLATE_DELETED, profile_id=profile_id, note=f"template {template_id}"
            )
            revision = self._recorder.change(connection, [number], event)
        self._database.snapshot_path.unlink(missing_ok=True)
        self._database.tidy()
        return revision

    def delete_gallery(self, name: str) -> None:
        """Delete a gallery that nobody is in.

        Raises:
            GalleryNotFoundError: no gallery has that name.
            GalleryStateError: people are in it, or it is the one that every home has.
        """
        with self._database.writing() as connection:
            (number,) = reading.gallery_numbers(connection, [name])
            members = select(func.count()).where(_membership.gallery == number)
            if name == DEFAULT_GALLERY or connection.scalar(members):
                raise GalleryStateError(
                    "only a gallery that nobody is in can be deleted, and never the default one"
                )
            connection.execute(delete(schema.gallery).where(schema.gallery.c.number == number))
            self._recorder.change(connection, [], AuditEvent(AuditKind.GALLERY_DELETED, place=name))
