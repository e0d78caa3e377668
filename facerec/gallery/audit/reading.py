"""Reading the audit journal."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select

from facerec.errors import RecordDamagedError
from facerec.gallery.audit.entry import AuditContent, AuditEntry, pseudonym
from facerec.gallery.audit.event import AuditKind
from facerec.gallery.audit.signing import SignedHead
from facerec.gallery.encryption.vault import Vault
from facerec.gallery.storage import schema
from facerec.gallery.storage.reading import open_owner, owner_of, profile_number
from facerec.gallery.times import stored

__all__ = ["AuditFilter", "last_number", "newest_head", "read_entries", "stored_entry"]

_audit = schema.audit.c


@dataclass(frozen=True)
class AuditFilter:
    """Which entries are wanted; all for none.

    Attributes:
        since: Recorded from this moment on.
        until: Recorded before this moment.
        kinds: Of one of these kinds; any when empty.
        profile_id: About this enrolled person.
        subject: About the person of this pseudonym.
        actor: By this actor, or by all of its kind: ``certificate`` for every certificate.
        request_id: Of this call.
        outcome: With this outcome.
    """

    since: datetime | None = None
    until: datetime | None = None
    kinds: tuple[AuditKind, ...] = ()
    profile_id: str | None = None
    subject: str = ""
    actor: str = ""
    request_id: str = ""
    outcome: str = ""


def last_number(connection: Connection) -> int:
    """Return the number of the last entry, 0 for none."""
    return int(connection.scalar(select(func.max(_audit.number))) or 0)


def newest_head(connection: Connection) -> SignedHead | None:
    """Return the head that was signed last."""
    query = select(schema.audit_head).order_by(schema.audit_head.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return SignedHead(row.number, row.sha256, row.signed, row.key_id, row.signature)


def read_entries(
    connection: Connection,
    vault: Vault,
    wanted: AuditFilter,
    *,
    after: int,
    limit: int,
    newest: bool,
    name_people: bool,
) -> tuple[AuditEntry, ...]:
    """Return entries in the order of their numbers.

    Args:
        connection: Sees the state of one instant.
        vault: Opens the keys that pseudonyms are made with.
        wanted: Which.
        after: Only with a higher number.
        limit: So many at most.
        newest: Of too many return the last ones, else the first ones.
        name_people: Find out whom pseudonyms stand for; opens the keys of all people.

    Raises:
        ProfileNotFoundError: nobody with the wanted profile id is enrolled.
        RecordDamagedError: an entry is not as it was stored.
    """
    query = _filtered(connection, vault, wanted).where(_audit.number > after)
    query = query.order_by(_audit.number.desc() if newest else _audit.number).limit(limit)
    rows = sorted(connection.execute(query).all(), key=lambda row: int(row.number))
    known: dict[str, str] = {}
    if name_people and any(row.subject for row in rows):
        known = dict(_people(connection, vault))
    return tuple(stored_entry(row, known.get(row.subject)) for row in rows)


def stored_entry(row: Row[Any], profile_id: str | None) -> AuditEntry:
    """Return the entry of a row.

    Raises:
        RecordDamagedError: it is not as it was stored.
    """
    try:
        return AuditEntry.read(row.number, stored_content(row), row.sha256, profile_id)
    except (ValueError, TypeError, KeyError) as error:
        raise RecordDamagedError(
            f"entry {row.number} of the audit journal was changed; run facerec audit verify"
        ) from error


def stored_content(row: Row[Any]) -> AuditContent:
    """Return what a row says."""
    return AuditContent(
        recorded=row.recorded,
        kind=row.kind,
        actor=row.actor,
        request_id=row.request_id,
        subject=row.subject,
        outcome=row.outcome,
        details=row.details,
    )


def _filtered(connection: Connection, vault: Vault, wanted: AuditFilter) -> Select[Any]:
    query = select(schema.audit)
    if wanted.since is not None:
        query = query.where(_audit.recorded >= stored(wanted.since))
    if wanted.until is not None:
        query = query.where(_audit.recorded < stored(wanted.until))
    if wanted.kinds:
        query = query.where(_audit.kind.in_([kind.value for kind in wanted.kinds]))
    if wanted.profile_id is not None:
        number = profile_number(connection, wanted.profile_id)
        query = query.where(_audit.subject == pseudonym(owner_of(connection, vault, number)))
    if wanted.actor:
        begins = _audit.actor.startswith(f"{wanted.actor}:", autoescape=True)
        query = query.where(or_(_audit.actor == wanted.actor, begins))
    for column, value in (
        (_audit.subject, wanted.subject),
        (_audit.request_id, wanted.request_id),
        (_audit.outcome, wanted.outcome),
    ):
        if value:
            query = query.where(column == value)
    return query


def _people(connection: Connection, vault: Vault) -> Iterator[tuple[str, str]]:
    """Give everybody's pseudonym and profile id."""
    key, profile = schema.data_key.c, schema.profile.c
    query = select(profile.profile_id, key.master_key_id, key.wrapped).join_from(
        schema.profile, schema.data_key
    )
    for row in connection.execute(query):
        owner = open_owner(vault, row.profile_id, row.master_key_id, row.wrapped)
        yield pseudonym(owner), row.profile_id
