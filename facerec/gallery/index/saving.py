"""Writing and reading the snapshot of one home's indexes."""

import logging
import secrets
import threading
import time
from pathlib import Path

from sqlalchemy import delete, insert, select

from facerec.errors import GalleryError, MasterKeyError, RecordDamagedError
from facerec.gallery.encryption.home_key import SNAPSHOT_OWNER
from facerec.gallery.encryption.vault import SealedKey
from facerec.gallery.index.index_set import IndexSet
from facerec.gallery.index.snapshot import SnapshotKey, read_snapshot, write_snapshot
from facerec.gallery.storage import schema
from facerec.gallery.storage.database import Database

__all__ = ["SNAPSHOT_EVERY", "IndexSaver"]

SNAPSHOT_EVERY = 50_000
"""A snapshot is written once so many templates, and a tenth of all, are not in the last one. To
read fewer from the database takes under a second."""

_LARGE_CHANGE = 0.1

_LEFT_BEHIND_S = 3600
"""A file that was begun so long ago was left behind by a process that was killed."""

_log = logging.getLogger(__name__)


class IndexSaver:
    """Keeps the snapshot of one home's indexes; safe to use from several threads."""

    def __init__(self, database: Database, every: int) -> None:
        """Keep the snapshot of a database; `every` is as `SNAPSHOT_EVERY`."""
        self._database = database
        self._every = every
        self._unsaved = 0
        self._saving: threading.Thread | None = None

    def close(self) -> None:
        """Wait for a snapshot that is being written."""
        if self._saving is not None:
            self._saving.join()

    def note(self, changed: int, indexes: IndexSet) -> None:
        """Note that so many templates changed; begin a snapshot when one is worth it.

        It is when much is not in the last one, and none is being written.
        """
        self._unsaved += changed
        enough = max(self._every, _LARGE_CHANGE * indexes.templates)
        if self._unsaved < enough or (self._saving is not None and self._saving.is_alive()):
            return
        self._unsaved = 0
        self._saving = threading.Thread(
            target=self._save_quietly, args=(indexes,), name="index snapshot"
        )
        self._saving.start()

    def _save_quietly(self, indexes: IndexSet) -> None:
        try:
            self.save(indexes)
        except GalleryError as error:
            _log.warning("no index snapshot was written: %s", error)

    def save(self, indexes: IndexSet) -> bool:
        """Write a snapshot of the indexes; return whether it was.

        It is not when somebody was erased meanwhile, as it would hold them, or when the master key
        was rotated meanwhile, as its key would be wrapped with the one that is to be destroyed.

        Raises:
            GalleryError: it cannot be written.
        """
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

        Killed between the two the file has no key that opens it, which `load` notices.
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

    def load(self, empty: IndexSet) -> IndexSet:
        """Return the indexes of the snapshot; `empty` if there is none that is fit."""
        path = self._database.snapshot_path
        with self._database.reading() as connection:
            row = connection.execute(select(schema.snapshot)).one_or_none()
        if row is None:
            return empty
        try:
            vault = self._database.vault
            key = vault.unwrap(SealedKey(row.master_key_id, row.wrapped), SNAPSHOT_OWNER)
            state = read_snapshot(path, SnapshotKey(vault.home_id, row.snapshot_id, key))
        except (RecordDamagedError, MasterKeyError, OSError) as error:
            _log.warning("%s cannot be used (%s); reading the database instead", path, error)
            return empty
        return empty.updated(state)


def _sweep(path: Path) -> None:
    """Delete what killed processes began to write; no key that opens it was ever stored."""
    for left in path.parent.glob(f"{path.name}.new-*"):
        if time.time() - left.stat().st_mtime > _LEFT_BEHIND_S:
            left.unlink(missing_ok=True)
