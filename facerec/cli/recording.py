"""Entering in the audit journal what a command decided."""

from typing import TYPE_CHECKING

from facerec.cli.console import warn
from facerec.errors import GalleryError

if TYPE_CHECKING:
    from facerec.gallery.audit_event import AuditEvent
    from facerec.gallery.gallery import Gallery

__all__ = ["record_decisions"]


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
