"""Finding out whether the audit journal is as it was written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from sqlalchemy import Connection, select

from facerec.gallery import schema
from facerec.gallery.audit_entry import AuditContent, entry_hash, first_hash
from facerec.gallery.audit_event import AuditKind
from facerec.gallery.audit_reading import stored_content
from facerec.gallery.audit_signing import SignedHead, verify_head

__all__ = ["AuditFault", "AuditReport", "FaultKind", "verify_journal"]

_ROWS_AT_ONCE = 10_000

_audit = schema.audit.c


class FaultKind(StrEnum):
    """Stable words for what is wrong with the journal."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    MOVED = "moved"
    BROKEN = "broken_chain"
    REWRITTEN = "rewritten"
    CUT_OFF = "cut_off"
    UNSIGNED = "unsigned"
    FORGED_HEAD = "forged_head"


@dataclass(frozen=True)
class AuditFault:
    """Something that is not as it was written.

    Attributes:
        kind: In a word.
        first: Number of the first entry concerned.
        last: Number of the last entry concerned.
        text: What is wrong, in a sentence.
    """

    kind: FaultKind
    first: int
    last: int
    text: str


@dataclass(frozen=True)
class AuditReport:
    """What came of verifying a journal.

    Attributes:
        entries: How many there are.
        heads: How many signed heads there are.
        faults: What is wrong; empty for a journal that is as it was written.
        open_recordings: Ids of processes that began to record decisions and did not end it: they
            are running, or were killed, and then their last moments may be missing.
    """

    entries: int
    heads: int
    faults: tuple[AuditFault, ...]
    open_recordings: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


@dataclass(frozen=True)
class _Link:
    """What of an entry is needed once its content was looked at.

    Attributes:
        number: Its place.
        previous: Hash of the entry before it, as it says.
        sha256: Its own hash, as it says.
        content: Its content if that does not give its hash; None if all is well.
    """

    number: int
    previous: str
    sha256: str
    content: AuditContent | None


def verify_journal(
    connection: Connection,
    home_id: str,
    public_key: bytes,
    heads_elsewhere: Iterable[SignedHead] = (),
) -> AuditReport:
    """Check every entry, every link and every signed head.

    Args:
        connection: Sees the state of one instant.
        home_id: Of the home.
        public_key: Of the home's signer.
        heads_elsewhere: Signed heads that were kept apart from the database.
    """
    links, recordings = _read(connection)
    heads = [
        SignedHead(row.number, row.sha256, row.signed, row.key_id, row.signature)
        for row in connection.execute(select(schema.audit_head).order_by(schema.audit_head.c.id))
    ]
    faults = [
        *_chain_faults(links, first_hash(home_id)),
        *_head_faults(links, [*heads, *heads_elsewhere], home_id, public_key),
    ]
    faults.sort(key=lambda fault: (fault.first, fault.last))
    return AuditReport(len(links), len(heads), tuple(faults), recordings)


def _read(connection: Connection) -> tuple[list[_Link], tuple[str, ...]]:
    """Return the links of all entries, and the recordings that did not end."""
    links: list[_Link] = []
    running: dict[str, None] = {}
    query = select(schema.audit).order_by(_audit.number)
    for rows in connection.execute(query).partitions(_ROWS_AT_ONCE):
        for row in rows:
            content = stored_content(row)
            fits = entry_hash(row.number, row.previous_sha256, content) == row.sha256
            links.append(
                _Link(row.number, row.previous_sha256, row.sha256, None if fits else content)
            )
            if row.kind == AuditKind.RECORDING_STARTED:
                running[row.request_id] = None
            elif row.kind == AuditKind.RECORDING_ENDED:
                running.pop(row.request_id, None)
    return links, tuple(running)


def _chain_faults(links: Sequence[_Link], genesis: str) -> Iterable[AuditFault]:
    place_of = {link.sha256: link.number for link in links} | {genesis: 0}
    followed = {link.previous for link in links}
    before = _Link(0, "", genesis, None)
    for earlier, link in pairwise([before, *links]):
        if link.number > earlier.number + 1:
            yield _removed(earlier.number + 1, link.number - 1)
        if link.content is not None:
            yield _changed_or_moved(link, link.content, place_of)
        elif link.number == earlier.number + 1 and link.previous != earlier.sha256:
            yield _broken(earlier, link, followed)


def _removed(first: int, last: int) -> AuditFault:
    which = f"entry {first} was" if first == last else f"entries {first} to {last} were"
    return AuditFault(FaultKind.REMOVED, first, last, f"{which} removed")


def _changed_or_moved(
    link: _Link, content: AuditContent, place_of: Mapping[str, int]
) -> AuditFault:
    """Say what became of an entry whose content does not give its hash at its place."""
    written_at = place_of.get(link.previous, -1) + 1
    moved = written_at != link.number
    for number in {written_at, link.number - 1, link.number + 1}:
        if number > 0 and moved and entry_hash(number, link.previous, content) == link.sha256:
            text = f"entry {link.number} was written as entry {number} and moved"
            return AuditFault(FaultKind.MOVED, link.number, link.number, text)
    text = f"entry {link.number} was changed"
    return AuditFault(FaultKind.CHANGED, link.number, link.number, text)


def _broken(earlier: _Link, link: _Link, followed: set[str]) -> AuditFault:
    """Say why an entry that is whole does not follow the one before it."""
    if earlier.sha256 not in followed and earlier.content is None and earlier.number:
        text = (
            f"entry {earlier.number} was inserted, or changed and hashed anew: nothing follows it"
        )
        return AuditFault(FaultKind.INSERTED, earlier.number, earlier.number, text)
    text = f"entry {link.number} does not follow entry {earlier.number}"
    return AuditFault(FaultKind.BROKEN, link.number, link.number, text)


def _head_faults(
    links: Sequence[_Link], heads: Sequence[SignedHead], home_id: str, public_key: bytes
) -> Iterable[AuditFault]:
    by_number = {link.number: link.sha256 for link in links}
    end = max(by_number, default=0)
    signed = 0
    for head in dict.fromkeys(heads):
        at = head.number
        if not verify_head(head, home_id, public_key):
            text = f"the signature of the head at entry {at} is not of this home's key"
            yield AuditFault(FaultKind.FORGED_HEAD, at, at, text)
            continue
        signed = max(signed, at)
        if at > end:
            text = f"entries {end + 1} to {at} were cut off the end: a head signed them"
            yield AuditFault(FaultKind.CUT_OFF, end + 1, at, text)
        elif at in by_number and by_number[at] != head.sha256:
            text = f"entry {at}, or one before it, is not the one that was signed {head.signed}"
            yield AuditFault(FaultKind.REWRITTEN, at, at, text)
    if end > signed:
        text = f"entries {signed + 1} to {end} are signed by no head: facerec did not write them"
        yield AuditFault(FaultKind.UNSIGNED, signed + 1, end, text)
