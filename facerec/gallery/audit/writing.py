"""Appending to the audit journal; each function runs inside one transaction that may write.

Whoever writes holds the one write lock (`Database.writing`), so that entries of all processes form
one chain.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from facerec.errors import RecordDamagedError
from facerec.gallery.audit.entry import content_of, entry_hash, first_hash, pseudonym
from facerec.gallery.audit.event import Actor, AuditEvent
from facerec.gallery.audit.signing import HeadSigner, SignedHead, new_private_key
from facerec.gallery.encryption.vault import SealedKey, Vault
from facerec.gallery.storage import schema
from facerec.gallery.storage.query_parts import in_parts
from facerec.gallery.storage.reading import open_owner
from facerec.gallery.times import stored

__all__ = ["SIGNING_OWNER", "Pending", "append_entries", "begin_journal", "open_signer"]

SIGNING_OWNER = "audit signing key"
"""Owner, as `Vault.wrap` takes it, of the key that signs heads."""

_KEEP_EVERY = 1000
"""Of so many entries at least one signed head is kept; the newest always is."""

_audit, _head = schema.audit.c, schema.audit_head.c

# Made once, for entries that come several times a second.
_LAST = select(_audit.number, _audit.sha256).order_by(_audit.number.desc()).limit(1)
_NEWEST_HEAD = select(schema.audit_head).order_by(_head.id.desc()).limit(1)
_ADD_HEAD = insert(schema.audit_head)


@dataclass(frozen=True)
class Pending:
    """Something to be entered.

    Attributes:
        actor: Who did it.
        event: What was done.
        recorded: When, UTC.
    """

    actor: Actor
    event: AuditEvent
    recorded: datetime


def begin_journal(connection: Connection, vault: Vault) -> None:
    """Make the key that signs heads, if the home has none."""
    if connection.scalar(select(schema.audit_key.c.id)) is None:
        sealed = vault.wrap(new_private_key(), SIGNING_OWNER)
        connection.execute(
            insert(schema.audit_key).values(
                id=1, master_key_id=sealed.master_key_id, wrapped=sealed.wrapped
            )
        )


def open_signer(connection: Connection, vault: Vault) -> HeadSigner:
    """Return what signs the heads of a home.

    Raises:
        RecordDamagedError: its key is missing, or was changed.
        MasterKeyError: the master key is another one.
    """
    row = connection.execute(select(schema.audit_key)).one_or_none()
    if row is None:
        raise RecordDamagedError("the key that signs the audit journal is missing")
    key = vault.unwrap(SealedKey(row.master_key_id, row.wrapped), SIGNING_OWNER)
    return HeadSigner(vault.home_id, key)


def append_entries(
    connection: Connection, vault: Vault, signer: HeadSigner, pending: Sequence[Pending]
) -> int:
    """Append entries and sign the new head; return the number of the last entry.

    Args:
        connection: Holds the write lock.
        vault: Opens the keys that pseudonyms are made with.
        signer: Signs the head.
        pending: At least one.
    """
    last = connection.execute(_LAST).one_or_none()
    number, sha256 = (0, first_hash(vault.home_id)) if last is None else (last.number, last.sha256)
    subjects = _pseudonyms(connection, vault, (one.event.profile_id for one in pending))
    rows = []
    tail = (number, sha256)
    for one in pending:
        content = content_of(
            one.event,
            recorded=one.recorded,
            actor=one.actor.name,
            request_id=one.actor.request_id,
            subject=subjects.get(one.event.profile_id or "", ""),
        )
        number, previous = number + 1, sha256
        sha256 = entry_hash(number, previous, content)
        rows.append(
            {"number": number, "previous_sha256": previous, "sha256": sha256, **vars(content)}
        )
    connection.execute(insert(schema.audit), rows)
    _keep_head(connection, signer.sign(number, sha256, stored(pending[-1].recorded)), tail)
    return number


def _keep_head(connection: Connection, head: SignedHead, tail: tuple[int, str]) -> None:
    """Store a signed head, in place of the one before it unless that is to be kept.

    A head that is not of the entry that this one follows is kept whatever its number: it proves
    that the journal was tampered with.
    """
    newest = connection.execute(_NEWEST_HEAD).one_or_none()
    if newest is not None and (newest.number, newest.sha256) == tail:
        if newest.number // _KEEP_EVERY == head.number // _KEEP_EVERY:
            connection.execute(delete(schema.audit_head).where(_head.id == newest.id))
    connection.execute(_ADD_HEAD, vars(head))


def _pseudonyms(
    connection: Connection, vault: Vault, profile_ids: Iterable[str | None]
) -> Mapping[str, str]:
    """Return the pseudonyms of people by profile id; who is erased meanwhile is left out."""
    wanted = sorted({profile_id for profile_id in profile_ids if profile_id})
    key, profile = schema.data_key.c, schema.profile.c
    found: dict[str, str] = {}
    for some in in_parts(wanted):
        query = (
            select(profile.profile_id, key.master_key_id, key.wrapped)
            .join_from(schema.profile, schema.data_key, isouter=True)
            .where(profile.profile_id.in_(some))
        )
        for row in connection.execute(query):
            owner = open_owner(vault, row.profile_id, row.master_key_id, row.wrapped)
            found[row.profile_id] = pseudonym(owner)
    return found
