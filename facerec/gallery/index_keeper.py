"""Keeps the indexes of one home up to date, and a snapshot of them for the next process."""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, insert, select

from facerec.errors import GalleryError, MasterKeyError, RecordDamagedError
from facerec.gallery import reading, schema
from facerec.gallery.database import Database
from facerec.gallery.home_key import SNAPSHOT_OWNER
from facerec.gallery.index_reading import read_changes
from facerec.gallery.index_set import IndexSet
from facerec.gallery.snapshot import SnapshotKey, read_snapshot, write_snapshot
from facerec.gallery.times import stored
from facerec.gallery.vault import SealedKey

__all__ = ["SNAPSHOT_EVERY", "IndexKeeper"]

SNAPSHOT_EVERY = 50_000
"""A snapshot is written once so many templates, and a tenth of all, are not in the last one. To
read fewer from the database takes under a second."""

_LARGE_CHANGE = 0.1

_LEFT_BEHIND_S = 3600
"""A file that was begun so long ago was left behind by a process that was killed."""

_log = logging.getLogger(__name__)


class IndexKeeper:
    """The indexes of one home at its present revision; safe to use from several threads."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], snapshot_every: int
    ) -> None:
        """Mirror a database.

        Args:
            database: The truth.
            clock: Tells the present moment.
            snapshot_every: As `SNAPSHOT_EVERY`.
        """
        self._database = database
        self._clock = clock
        self._snapshot_every = snapshot_every
        self._indexes = IndexSet()
        self._unsaved = 0
        self._opened = False
        self._refreshing = threading.Lock()
        self._saving: threading.Thread | None = None

    def close(self) -> None:
        """Wait for a snapshot that is being written."""
        if self._saving is not None:
            self._saving.join()

    def current(self) -> IndexSet:
        """Return the indexes of the present revision; one thread at a time brings them there."""
        now = stored(self._clock())
        indexes = self._indexes
        if indexes.revision == self._database.revision() and indexes.shows(now):
            return indexes
        with self._refreshing:
            self._refresh(now)
            return self._indexes

    def save(self) -> bool:
        """Write a snapshot of the indexes; return whether it was.

        It is not when somebody was erased meanwhile, as it would hold them, or when the master key
        was rotated meanwhile, as its key would be wrapped with the one that is to be destroyed.

        Raises:
            GalleryError: it cannot be written.
        """
        indexes = self._indexes
        vault = self._database.vault
        snapshot_id = secrets.token_hex(16)
        key, sealed = vault.new_key(SNAPSHOT_OWNER)
        path = self._database.snapshot_path
        try:
            _sweep(path)
            file = write_snapshot(
                path, SnapshotKey(vault.home_id, snapshot_id, key), indexes.state()
            )
            return self._install(file, path, snapshot_id, sealed, indexes.revision)
        except OSError as error:
            raise GalleryError(f"{path} cannot be written: {error.strerror}") from error

    def _install(
        self, file: Path, path: Path, snapshot_id: str, sealed: SealedKey, revision: int
    ) -> bool:
        """Give a written snapshot its name and keep its key, both or neither.

        Killed between the two the file has no key that opens it, which `_from_snapshot` notices.
        """
        change, profile = schema.change.c, schema.profile.c
        erased = (
            select(change.profile)
            .join_from(
                schema.change, schema.profile, change.profile == profile.number, isouter=True
            )
            .where(change.revision > revision, profile.number.is_(None))
            .limit(1)
        )
        try:
            with self._database.writing() as connection:
                master_key_id = connection.scalar(select(schema.home.c.master_key_id))
                rotated = master_key_id != sealed.master_key_id
                if rotated or connection.scalar(erased) is not None:
                    return False
                connection.execute(delete(schema.snapshot))
                connection.execute(
                    insert(schema.snapshot).values(
                        id=1,
                        snapshot_id=snapshot_id,
                        master_key_id=sealed.master_key_id,
                        wrapped=sealed.wrapped,
                    )
                )
                file.replace(path)
            return True
        finally:
            file.unlink(missing_ok=True)

    def _refresh(self, now: str) -> None:
        known = self._indexes if self._opened else self._from_snapshot()
        self._opened = True
        with self._database.reading() as connection:
            present = reading.read_revision(connection)
            if known.revision != present or not known.shows(now):
                if known.revision > present:  # another database took this one's place
                    known = IndexSet()
                vault = self._database.vault
                changes = read_changes(connection, vault, known.revision, known.instant, now)
                known = known.updated(changes)
                self._unsaved += sum(len(rows) for rows in changes.rows.values())
        self._indexes = known
        self._save_if_worth_it()

    def _from_snapshot(self) -> IndexSet:
        """Return the indexes of the snapshot; empty ones if there is none that is fit."""
        path = self._database.snapshot_path
        with self._database.reading() as connection:
            row = connection.execute(select(schema.snapshot)).one_or_none()
        if row is None:
            return IndexSet()
        try:
            vault = self._database.vault
            key = vault.unwrap(SealedKey(row.master_key_id, row.wrapped), SNAPSHOT_OWNER)
            state = read_snapshot(path, SnapshotKey(vault.home_id, row.snapshot_id, key))
        except (RecordDamagedError, MasterKeyError, OSError) as error:
            _log.warning("%s cannot be used (%s); reading the database instead", path, error)
            return IndexSet()
        return IndexSet().updated(state)

    def _save_if_worth_it(self) -> None:
        """Start writing a snapshot if much is not in the last one, and none is being written."""
        enough = max(self._snapshot_every, _LARGE_CHANGE * self._indexes.templates)
        if self._unsaved < enough or (self._saving is not None and self._saving.is_alive()):
            return
        self._unsaved = 0
        self._saving = threading.Thread(target=self._save_quietly, name="index snapshot")
        self._saving.start()

    def _save_quietly(self) -> None:
        try:
            self.save()
        except GalleryError as error:
            _log.warning("no index snapshot was written: %s", error)


def _sweep(path: Path) -> None:
    """Delete what killed processes began to write; no key that opens it was ever stored."""
    for left in path.parent.glob(f"{path.name}.new-*"):
        if time.time() - left.stat().st_mtime > _LEFT_BEHIND_S:
            left.unlink(missing_ok=True)
