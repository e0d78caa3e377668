"""Restoring a gallery from a backup, checked before anything is replaced."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Table, delete, insert, select, text, update

from facerec.errors import BackupError, GalleryDamagedError, MasterKeyError
from facerec.gallery.audit.event import Actor, AuditEvent, AuditKind
from facerec.gallery.audit.verifying import verify_journal
from facerec.gallery.audit.writing import Pending, append_entries, open_signer
from facerec.gallery.backup.backup_file import DATABASE_MEMBER, BackupManifest, read_backup_file
from facerec.gallery.encryption.home_key import rewrap_keys
from facerec.gallery.encryption.master_key import KeySource
from facerec.gallery.encryption.vault import Vault
from facerec.gallery.index.reading import read_changes
from facerec.gallery.receipt import PROFILE_TAG
from facerec.gallery.storage import schema
from facerec.gallery.storage.backend import Backend
from facerec.gallery.storage.copying import copy_rows
from facerec.gallery.storage.database import Database
from facerec.gallery.storage.profile_reading import read_profiles
from facerec.gallery.storage.reading import read_revision
from facerec.gallery.storage.scratch_folder import scratch_folder
from facerec.gallery.storage.sqlite_backend import SqliteBackend
from facerec.gallery.storage.writing import note_revision
from facerec.gallery.times import stored

__all__ = ["Restored", "restore"]

_JOURNAL = (schema.audit, schema.audit_head, schema.audit_key)
_NUMBERS = select(schema.profile.c.number)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Restored:
    """What was restored.

    Attributes:
        manifest: Of the backup.
        profiles: How many people the home holds now.
        erased_again: How many people of the backup were left out because they have been erased
            since.
        kept_journal: Whether the home's own journal was kept, which is longer than the backup's.
        set_aside: Where the damaged database that was in the way is now; None if there was none.
    """

    manifest: BackupManifest
    profiles: int
    erased_again: int
    kept_journal: bool
    set_aside: Path | None


def restore(
    file: Path,
    backend: Backend,
    keys: KeySource,
    actor: Actor,
    clock: Callable[[], datetime],
    unpack_others: Callable[[Path], None] = lambda _: None,
) -> Restored:
    """Bring a home to the state of a backup: all of it in one transaction, or nothing.

    Who was erased since the backup was made stays erased, as far as the home's own receipts tell;
    the home's own journal goes on. Processes that have the home open go on with what was restored.

    Args:
        file: The backup.
        backend: Where the home's database is, or is to be.
        keys: Where the master key comes from; the backup does not hold it.
        actor: On whose behalf, for the journal.
        clock: Tells the present moment.
        unpack_others: Told the folder of what else was in the backup, once all is restored.

    Raises:
        BackupError: the backup is damaged, or another home's.
        MasterKeyError: the master key is missing, or another one than the backup needs.
        GalleryError: the home cannot be written.
    """
    with _scratch_folder(backend.folder) as folder:
        manifest = read_backup_file(file, folder)
        _require_its_key(manifest, keys)
        with closing(Database(SqliteBackend(folder / DATABASE_MEMBER), keys)) as copy:
            _check(copy, file, stored(clock()))
            set_aside = _set_aside_if_damaged(backend, keys)
            with closing(Database(backend, keys)) as present:
                restored = _replace(copy, present, manifest, actor, clock())
            backend.snapshot_path.unlink(missing_ok=True)
        unpack_others(folder)
        return Restored(manifest, *restored, set_aside)


@contextmanager
def _scratch_folder(beside: Path) -> Iterator[Path]:
    """Make a folder for what a backup holds, on the disk on which it is to stay."""
    try:
        beside.mkdir(parents=True, exist_ok=True, mode=0o700)
        with scratch_folder(beside) as folder:
            yield folder
    except OSError as error:
        raise BackupError(
            f"{beside} cannot be written: {error.strerror}; make it writable, or choose another "
            "with --home"
        ) from error


def _require_its_key(manifest: BackupManifest, keys: KeySource) -> None:
    """Refuse a backup of before a rotation, unless the key of that time is at hand too."""
    given = keys.load()
    if given.find(manifest.master_key_id) is None:
        raise MasterKeyError(
            f"the backup opens with the master key {manifest.master_key_id}, and the one given is "
            f"{given.current_id}: give that one too, on the line after it, until the backup is "
            "restored"
        )


def _check(copy: Database, file: Path, now: str) -> None:
    """Open everything that the backup holds."""
    try:
        with copy.reading() as connection:
            faults = connection.execute(text("PRAGMA integrity_check")).scalars().all()
            if faults != ["ok"]:
                raise GalleryDamagedError("its pages do not fit together")
            read_profiles(connection, copy.vault, None, now)
            read_changes(connection, copy.vault, 0, "", now)
            signer = open_signer(connection, copy.vault)
            report = verify_journal(connection, copy.vault.home_id, signer.public_key)
    except GalleryDamagedError as error:
        raise BackupError(f"what {file} holds is damaged; take another backup") from error
    if not report.sound:
        raise BackupError(
            f"the audit journal in {file} was tampered with ({report.faults[0].text}); take "
            "another backup"
        )


def _set_aside_if_damaged(backend: Backend, keys: KeySource) -> Path | None:
    """Move a damaged database file out of the way; leave one that can be opened."""
    if not isinstance(backend, SqliteBackend) or not backend.path.exists():
        return None
    try:
        with closing(Database(backend, keys)) as present, present.reading() as connection:
            faults = connection.execute(text("PRAGMA quick_check")).scalars().all()
            if faults == ["ok"]:
                return None
    except GalleryDamagedError as error:
        _log.warning("the present database is set aside: %s", error)
    aside = backend.path.with_name(f"{backend.path.name}.damaged-{int(time.time())}")
    backend.path.rename(aside)
    for ending in ("-wal", "-shm"):
        beside = backend.path.with_name(backend.path.name + ending)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + ending))
    return aside


def _replace(
    copy: Database, present: Database, manifest: BackupManifest, actor: Actor, now: datetime
) -> tuple[int, int, bool]:
    """Replace all rows; return people held, people left out, and whether the journal was kept."""
    with copy.reading() as source, present.writing() as target:
        same = copy.vault.home_id == present.vault.home_id
        touched = set(target.scalars(_NUMBERS))
        if touched and not same:
            raise BackupError(
                "the backup is of another home, and people are enrolled in this one; restore it "
                "into an empty one: --home FOLDER"
            )
        revision = 1 + max(manifest.revision, read_revision(target))
        erased = _erased_since(source, target) if same else frozenset()
        copy_rows(source, target, _tables(same))
        vault = present.vault if same else copy.vault
        left_out = _leave_out(target, vault, erased)
        if same and manifest.master_key_id != vault.master_key_id:
            rewrap_keys(target, vault)
        target.execute(delete(schema.snapshot))
        people = set(target.scalars(_NUMBERS))
        _raise_revision(target, revision, touched | people)
        present.backend.note_numbers(target)
        _enter(target, vault, Pending(actor, _event(manifest, revision, left_out), now))
    present.tidy()
    return len(people), left_out, same


def _tables(same: bool) -> list[Table]:
    """Return what a backup replaces; of the same home its keys, journal and receipts stay."""
    kept = (schema.home, *_JOURNAL, schema.erasure) if same else ()
    return [table for table in schema.metadata.sorted_tables if table not in kept]


def _erased_since(source: Connection, target: Connection) -> frozenset[str]:
    """Return the tags of those whose receipts the home has and the backup has not."""
    erasure = schema.erasure.c
    before = set(source.scalars(select(erasure.receipt_id)))
    receipts = target.execute(select(erasure.receipt_id, erasure.profile_tag))
    return frozenset(row.profile_tag for row in receipts if row.receipt_id not in before)


def _leave_out(target: Connection, vault: Vault, erased: frozenset[str]) -> int:
    """Delete who was erased since the backup was made; return how many."""
    if not erased:
        return 0
    people = target.execute(select(schema.profile.c.number, schema.profile.c.profile_id)).all()
    gone = [row.number for row in people if vault.tag(PROFILE_TAG, row.profile_id) in erased]
    for number in gone:
        target.execute(delete(schema.profile).where(schema.profile.c.number == number))
        target.execute(delete(schema.change).where(schema.change.c.profile == number))
    return len(gone)


def _raise_revision(target: Connection, revision: int, people: set[int]) -> None:
    """Have every process that has the home open read these people anew."""
    target.execute(update(schema.home).values(revision=revision))
    note_revision(target, revision)
    rows = [{"revision": revision, "profile": number} for number in sorted(people)]
    if rows:
        target.execute(insert(schema.change), rows)


def _event(manifest: BackupManifest, revision: int, left_out: int) -> AuditEvent:
    note = (
        f"backup of {manifest.created}, revision {manifest.revision}; {left_out} profile(s) that "
        "were erased since left out"
    )
    return AuditEvent(AuditKind.RESTORED, revision=revision, note=note)


def _enter(target: Connection, vault: Vault, pending: Pending) -> None:
    append_entries(target, vault, open_signer(target, vault), [pending])
