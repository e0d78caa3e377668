"""Finding out whether the audit journal is as it was written."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Row, select

from facerec.gallery.audit.entry import entry_hash, first_hash
from facerec.gallery.audit.event import AuditKind
from facerec.gallery.audit.reading import stored_content
from facerec.gallery.audit.signing import SignedHead, verify_head
from facerec.gallery.storage import schema

__all__ = ["AuditFault", "AuditReport", "FaultKind", "verify_journal"]

_ROWS_AT_ONCE = 10_000

_MOVED_BY = 20
"""So far from where it was written an entry is recognised although what preceded it is gone."""

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
        written_as: The place for which its content gives its hash; None if there is none.
    """

    number: int
    previous: str
    sha256: str
    written_as: int | None

    @property
    def in_place(self) -> bool:
        """Whether it is where it was written, and as it was written."""
        return self.written_as == self.number


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
    genesis = first_hash(home_id)
    links, recordings = _read(connection, genesis)
    heads = [
        SignedHead(row.number, row.sha256, row.signed, row.key_id, row.signature)
        for row in connection.execute(select(schema.audit_head).order_by(schema.audit_head.c.id))
    ]
    faults = [
        *_chain_faults(links, genesis),
        *_head_faults(links, [*heads, *heads_elsewhere], home_id, public_key),
    ]
    faults.sort(key=lambda fault: (fault.first, fault.last))
    return AuditReport(len(links), len(heads), tuple(faults), recordings)


def _read(connection: Connection, genesis: str) -> tuple[list[_Link], tuple[str, ...]]:
    """Return the links of all entries, and the recordings that did not end."""
    links: list[_Link] = []
    places = {genesis: 0}
    running: dict[str, None] = {}
    query = select(schema.audit).order_by(_audit.number)
    for rows in connection.execute(query).partitions(_ROWS_AT_ONCE):
        for row in rows:
            link = _link(row, places)
            links.append(link)
            if link.written_as is not None:
                places[link.sha256] = link.written_as
            if row.kind == AuditKind.RECORDING_STARTED:
                running[row.request_id] = None
            elif row.kind == AuditKind.RECORDING_ENDED:
                running.pop(row.request_id, None)
    return links, tuple(running)


def _link(row: Row[Any], places: Mapping[str, int]) -> _Link:
    """Find out where an entry was written: here, after its predecessor, or not far from here."""
    content, here, previous = stored_content(row), row.number, row.previous_sha256
    likely = (here, places.get(previous, here - 1) + 1)
    nearby = (here + sign * by for by in range(1, _MOVED_BY + 1) for sign in (1, -1))
    for number in (*likely, *nearby):
        if number > 0 and entry_hash(number, previous, content) == row.sha256:
            return _Link(here, previous, row.sha256, number)
    return _Link(here, previous, row.sha256, None)


def _chain_faults(links: Sequence[_Link], genesis: str) -> Iterator[AuditFault]:
    yield from _removed(links)
    followed = {link.previous for link in links}
    written = {link.written_as for link in links}
    for earlier, link in pairwise([_Link(0, "", genesis, 0), *links]):
        alone = (
            earlier.number > 0
            and earlier.in_place
            and earlier.sha256 not in followed
            and earlier.number + 1 in written
        )
        if alone:
            yield _fault(
                FaultKind.INSERTED,
                earlier.number,
                f"entry {earlier.number} was inserted, or changed and hashed anew: none follows it",
            )
        if link.written_as is None:
            yield _fault(FaultKind.CHANGED, link.number, f"entry {link.number} was changed")
        elif not link.in_place:
            text = f"entry {link.number} was written as entry {link.written_as} and moved"
            yield _fault(FaultKind.MOVED, link.number, text)
        elif (
            link.number == earlier.number + 1
            and link.previous != earlier.sha256
            and earlier.in_place
            and not alone
        ):
            text = f"entry {link.number} does not follow entry {earlier.number}"
            yield _fault(FaultKind.BROKEN, link.number, text)


def _removed(links: Sequence[_Link]) -> Iterator[AuditFault]:
    """Say which entries are nowhere, up to the last that there is."""
    present = sorted({link.written_as or link.number for link in links})
    for earlier, later in pairwise([0, *present]):
        if later > earlier + 1:
            first, last = earlier + 1, later - 1
            which = f"entry {first} was" if first == last else f"entries {first} to {last} were"
            yield AuditFault(FaultKind.REMOVED, first, last, f"{which} removed")


def _head_faults(
    links: Sequence[_Link], heads: Sequence[SignedHead], home_id: str, public_key: bytes
) -> Iterator[AuditFault]:
    present = {link.written_as or link.number: link.sha256 for link in links}
    end = max(present, default=0)
    signed = 0
    for head in dict.fromkeys(heads):
        at = head.number
        if not verify_head(head, home_id, public_key):
            text = f"the signature of the head at entry {at} is not of this home's key"
            yield _fault(FaultKind.FORGED_HEAD, at, text)
            continue
        signed = max(signed, at)
        if at > end:
            text = f"entries {end + 1} to {at} were cut off the end: a head signed them"
            yield AuditFault(FaultKind.CUT_OFF, end + 1, at, text)
        elif at in present and present[at] != head.sha256:
            text = f"entry {at}, or one before it, is not the one that was signed {head.signed}"
            yield _fault(FaultKind.REWRITTEN, at, text)
    if end > signed:
        text = f"entries {signed + 1} to {end} are signed by no head: facerec did not write them"
        yield AuditFault(FaultKind.UNSIGNED, signed + 1, end, text)


def _fault(kind: FaultKind, number: int, text: str) -> AuditFault:
    return AuditFault(kind, number, number, text)
