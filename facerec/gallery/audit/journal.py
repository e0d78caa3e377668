"""The audit journal of an open gallery."""

import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from facerec.errors import GalleryError
from facerec.gallery.audit.entry import AuditEntry
from facerec.gallery.audit.event import SYSTEM, Actor, AuditEvent, AuditKind
from facerec.gallery.audit.reading import AuditFilter, last_number, newest_head, read_entries
from facerec.gallery.audit.signing import HeadSigner, SignedHead
from facerec.gallery.audit.verifying import AuditReport, verify_journal
from facerec.gallery.audit.writing import Pending, append_entries, open_signer
from facerec.gallery.storage.database import Database
from facerec.gallery.storage.writing import record_change

__all__ = ["Journal", "Recorder"]

_GATHER_S = 0.1
"""Decisions of so long are entered together: a sync of the disk costs more than many entries."""

_TRY_AGAIN_S = 1.0

_MOST_WAITING = 50_000
"""Decisions that are kept in memory while the database cannot be written; further ones are
counted, and the count is entered."""

_AT_ONCE = 5_000

_log = logging.getLogger(__name__)


class Journal:
    """Appends to one database's journal and reads it; safe to use from several threads."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        """Work on a database; `clock` tells the present moment."""
        self._database = database
        self._clock = clock
        self._signer: HeadSigner | None = None
        self._waiting: list[Pending] = []
        self._lost = 0
        self._changed = threading.Condition()
        self._writer: threading.Thread | None = None
        self._recording = Actor("system", secrets.token_hex(8))
        self._written = 0
        self._hurry = False
        self._closing = False
        self._problem: GalleryError | None = None

    def append(self, connection: Connection, actor: Actor, events: Iterable[AuditEvent]) -> None:
        """Enter what a transaction does, so that both are kept or neither is.

        Args:
            connection: From `Database.writing`.
            actor: Who does it.
            events: What is done.
        """
        now = self._clock()
        self._append(connection, [Pending(actor, event, now) for event in events])

    def record_now(self, actor: Actor, events: Iterable[AuditEvent]) -> None:
        """Enter events; they are on the disk when this returns.

        Raises:
            GalleryError: the database cannot be written.
        """
        with self._database.writing() as connection:
            self.append(connection, actor, events)

    def record(self, actor: Actor, events: Iterable[AuditEvent]) -> None:
        """Enter decisions soon, in the background, together with others."""
        now = self._clock()
        pending = [Pending(actor, event, now) for event in events]
        with self._changed:
            room = max(0, _MOST_WAITING - len(self._waiting))
            self._waiting += pending[:room]
            self._lost += len(pending[room:])
            if self._writer is None:
                self._writer = threading.Thread(
                    target=self._write_on, name="audit journal", daemon=True
                )
                self._writer.start()
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until all that was recorded is on the disk.

        Raises:
            GalleryError: it cannot be written; it is kept, and tried again.
        """
        with self._changed:
            if self._writer is None:
                return
            self._problem = None
            self._hurry = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._hurry or self._problem is not None)
            if self._problem is not None:
                raise self._problem

    def close(self) -> None:
        """Enter what was recorded, and that recording ended; what cannot be is logged."""
        with self._changed:
            writer, self._closing = self._writer, True
            self._changed.notify_all()
        if writer is not None:
            writer.join()

    @property
    def last_number(self) -> int:
        """Number of the last entry, 0 for none."""
        with self._database.reading() as connection:
            return last_number(connection)

    def read(
        self,
        wanted: AuditFilter | None = None,
        *,
        after: int = 0,
        limit: int = 100,
        newest: bool = False,
        name_people: bool = False,
    ) -> tuple[AuditEntry, ...]:
        """Return entries in the order of their numbers.

        Args:
            wanted: Which; None for all.
            after: Only with a higher number.
            limit: So many at most.
            newest: Of too many return the last ones, else the first ones.
            name_people: Fill in whose the pseudonyms of enrolled people are. That opens the keys
                of all people: 20 us each.

        Raises:
            ProfileNotFoundError: nobody with the wanted profile id is enrolled.
            GalleryDamagedError: an entry is not as it was stored.
        """
        with self._database.reading() as connection:
            return read_entries(
                connection,
                self._database.vault,
                wanted or AuditFilter(),
                after=after,
                limit=limit,
                newest=newest,
                name_people=name_people,
            )

    def verify(self, heads_elsewhere: Sequence[SignedHead] = ()) -> AuditReport:
        """Check every entry, every link and every signed head.

        Args:
            heads_elsewhere: Signed heads that were kept apart from the database.
        """
        with self._database.reading() as connection:
            signer = open_signer(connection, self._database.vault)
            home_id = self._database.vault.home_id
            return verify_journal(connection, home_id, signer.public_key, heads_elsewhere)

    def head(self) -> SignedHead | None:
        """Return the newest signed head, to be kept apart from the database."""
        with self._database.reading() as connection:
            return newest_head(connection)

    def _append(self, connection: Connection, pending: Sequence[Pending]) -> None:
        if not pending:
            return
        vault = self._database.vault
        if self._signer is None:
            self._signer = open_signer(connection, vault)
        append_entries(connection, vault, self._signer, pending)

    def _write_on(self) -> None:
        """Enter what is recorded, until the journal is closed and all is entered or cannot be."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._hurry or self._closing)
                self._changed.wait_for(lambda: self._hurry or self._closing, timeout=_GATHER_S)
                batch, lost = self._waiting[:_AT_ONCE], self._lost
                del self._waiting[: len(batch)]
                ending = self._closing and not self._waiting
            problem = self._write(batch, lost, ending=ending)
            with self._changed:
                if problem is None:
                    self._lost -= lost
                    self._written += len(batch)
                else:
                    self._waiting[:0] = batch
                self._problem = problem
                self._hurry = self._hurry and bool(self._waiting)
                self._changed.notify_all()
                if ending:
                    return
                if problem is not None:
                    self._changed.wait_for(lambda: self._closing, timeout=_TRY_AGAIN_S)

    def _write(self, batch: Sequence[Pending], lost: int, *, ending: bool) -> GalleryError | None:
        """Enter a batch, with what is to be said of the recording itself; return what failed."""
        now = self._clock()
        frame: list[AuditEvent] = []
        if not self._written:
            frame.append(AuditEvent(AuditKind.RECORDING_STARTED))
        if lost:
            frame.append(AuditEvent(AuditKind.ENTRIES_LOST, note=f"{lost} decision(s)"))
        entries = [*(Pending(self._recording, event, now) for event in frame), *batch]
        if ending:
            note = f"{self._written + len(batch)} decision(s)"
            ended = AuditEvent(AuditKind.RECORDING_ENDED, note=note)
            entries.append(Pending(self._recording, ended, now))
        try:
            with self._database.writing() as connection:
                self._append(connection, entries)
        except GalleryError as error:
            held = f"{len(batch) + lost} decision(s) are not in the audit journal"
            _log.error("%s%s: %s", held, " and are lost" if ending else " yet", error)
            return error
        return None


@dataclass(frozen=True)
class Recorder:
    """Notes changes of one database on behalf of one actor.

    Attributes:
        journal: Where they are entered.
        actor: On whose behalf.
    """

    journal: Journal
    actor: Actor = SYSTEM

    def by(self, actor: Actor) -> "Recorder":
        """Return one that records on another's behalf."""
        return replace(self, actor=actor)

    def change(self, connection: Connection, people: Iterable[int], *events: AuditEvent) -> int:
        """Raise the revision, and enter what a transaction does: all is kept, or nothing is.

        Returns the new revision.

        Args:
            connection: Of the transaction.
            people: Numbers of those whom the change touches.
            events: What is done; their revision is filled in.
        """
        revision = record_change(connection, people)
        made = [replace(event, revision=revision) for event in events]
        self.journal.append(connection, self.actor, made)
        return revision
