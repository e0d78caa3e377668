"""Entering in the audit journal what a command decided."""

from typing import TYPE_CHECKING

from facerec.cli.console import warn
from facerec.errors import GalleryError

if TYPE_CHECKING:
    from facerec.gallery.audit.event import AuditEvent
    from facerec.gallery.gallery import Gallery
    from facerec.settings import Settings

__all__ = ["record_decisions", "record_in_home"]


def record_decisions(people: "Gallery", *events: "AuditEvent") -> None:
    """Put decisions in the journal, on the disk, before they are told; say so if it fails.

    A full disk or a read-only home must not keep a guard from an answer.
    """
    if not events:
        return
    try:
        people.record_now(*events)
    except GalleryError as error:
        warn(f"this decision is not in the audit journal: {error}")


def record_in_home(settings: "Settings", *events: "AuditEvent") -> None:
    """Put what was changed beside the gallery, such as a token, in the home's journal.

    A home that has no gallery yet has no journal either, and none is made for this.

    Raises:
        GalleryError: the journal cannot be written; the change was made and has no entry.
    """
    from facerec.assembly import open_gallery

    if settings.database_path.exists() or settings.database.url.get_secret_value():
        with open_gallery(settings) as people:
            people.record_now(*events)
