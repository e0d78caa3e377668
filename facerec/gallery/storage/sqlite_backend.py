"""A gallery in an SQLite file."""

import os
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from facerec.errors import GalleryDamagedError, GalleryError, RecordDamagedError
from facerec.gallery.storage.backend import RevisionReader

__all__ = ["SqliteBackend"]

_BUSY_TIMEOUT_MS = 10_000
"""How long a writer waits for another process's transaction before it gives up."""

_SMALLEST_DATABASE = 512
"""Bytes of the smallest page of SQLite: https://www.sqlite.org/fileformat.html."""

_SHARED_MEMORY = 32 * 1024
"""Bytes of the index of the write-ahead log, without which it is not read either:
https://www.sqlite.org/walformat.html."""

_BEGIN = "sqlite_begin"
"""Name of our execution option that says how a transaction begins."""

_REVISION = "SELECT revision FROM home"
_CHANGED = "SELECT profile FROM change WHERE revision > ?"


class SqliteBackend:
    """An SQLite file (0600, in a folder of 0700) with a write-ahead log."""

    write_options: Mapping[str, Any] = {_BEGIN: "IMMEDIATE"}
    read_options: Mapping[str, Any] = {}

    def __init__(self, path: Path) -> None:
        """Use a file, which need not be there yet."""
        self.path = path
        self.name = str(path)
        self.folder = path.parent

    @property
    def snapshot_path(self) -> Path:
        """The file of the index snapshot, which need not be there."""
        return self.path.with_name(f"{self.path.name}.index")

    def make(self, fill: Callable[[Connection], None]) -> None:
        """Make the file if there is none.

        It is whole when it appears, so an empty or half-made file is never one that another
        process is about to finish: it is damage. When two processes make one at a time, the first
        one's stays.
        """
        try:
            is_there = self.path.exists()
        except PermissionError as error:
            raise GalleryError(
                f"cannot look into {self.path.parent}: {error.strerror}; ask whoever owns it, or "
                "choose another with --home"
            ) from error
        if not is_there:
            self._make(fill)
        self._refuse_no_database()

    def engine(self, *, foreign_keys: bool = True) -> Engine:
        """Return a pool of connections to the file."""
        engine = create_engine(
            self._url(),
            # None: sqlite3 itself opens no transactions; `_begin` below does, for reads as well.
            connect_args={"isolation_level": None, "timeout": _BUSY_TIMEOUT_MS / 1000},
            max_overflow=-1,  # a reader never fails because many others are reading
        )

        @event.listens_for(engine, "connect")
        def _configure(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
            connection.execute("PRAGMA journal_mode = WAL")
            # An acknowledged change outlives a power cut too, for a sync of the disk a commit.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
            # What is deleted is written over, not just forgotten.
            connection.execute("PRAGMA secure_delete = ON")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            mode = connection.get_execution_options().get(_BEGIN, "DEFERRED")
            connection.exec_driver_sql(f"BEGIN {mode}")

        return engine

    def _url(self) -> URL:
        return URL.create(
            "sqlite",
            database=_database(self.path),
            query={"uri": "true", "immutable": "1"} if _unchangeable(self.path) else {},
        )

    def lock(self, connection: Connection) -> None:
        """Do nothing: a transaction that begins with ``IMMEDIATE`` has the lock."""

    def revision_reader(self) -> RevisionReader:
        """Return what reads the revision without SQLAlchemy."""
        return _SqliteRevision(self.path)

    def tidy(self, engine: Engine) -> None:
        """Move what was committed into the main file and empty the log, if nobody reads.

        Otherwise what was erased would linger in the log until it is written over.
        """
        with engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            if raw is not None:
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def note_numbers(self, connection: Connection) -> None:
        """Do nothing: SQLite's AUTOINCREMENT notes every number."""

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise errors of SQLite as ours."""
        try:
            yield
        except RecordDamagedError as error:
            raise GalleryDamagedError(
                f"{self.path} is damaged ({error}); restore it from a backup"
            ) from error
        except DBAPIError as error:
            raise _explain(error.orig, self.path) from error
        except sqlite3.Error as error:
            raise _explain(error, self.path) from error

    def _make(self, fill: Callable[[Connection], None]) -> None:
        path = self.path
        try:
            if not path.parent.exists():
                path.parent.mkdir(parents=True, mode=0o700)
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as folder:
                file = Path(folder) / path.name
                # SQLite gives its -wal and -shm files the mode of the file that they belong to.
                file.touch(mode=0o600)
                engine = SqliteBackend(file).engine()
                try:
                    with self.translated(), engine.begin() as connection:
                        fill(connection)
                finally:
                    engine.dispose()
                _place(file, path)
        except OSError as error:
            raise GalleryError(
                f"cannot make {path}: {error.strerror}; make its folder writable, or choose "
                "another with --home"
            ) from error

    def _refuse_no_database(self) -> None:
        """Refuse what SQLite would take for a database that is yet to be filled."""
        if not self.path.is_file():
            raise GalleryError(f"{self.path} must be a file; it is something else")
        if self.path.stat().st_size < _SMALLEST_DATABASE:
            raise GalleryDamagedError(
                f"{self.path} is cut off; restore it from a backup, or move it away to begin with "
                "an empty gallery"
            )


class _SqliteRevision:
    """A connection of its own for questions that are asked at searches."""

    def __init__(self, path: Path) -> None:
        self._asking = threading.Lock()
        query = "?immutable=1" if _unchangeable(path) else ""
        self._connection = sqlite3.connect(
            _database(path) + query, check_same_thread=False, isolation_level=None, uri=bool(query)
        )

    def read(self) -> int | None:
        with self._asking:
            row = self._connection.execute(_REVISION).fetchone()
        return None if row is None else int(row[0])

    def changed_since(self, revision: int) -> frozenset[int]:
        with self._asking:
            return frozenset(row[0] for row in self._connection.execute(_CHANGED, (revision,)))

    def close(self) -> None:
        self._connection.close()


def _unchangeable(path: Path) -> bool:
    """Return whether nobody can change a file, because its file system is read-only.

    SQLite then must not look for who else has it open, for which it would have to make files. What
    was not yet moved from the log into the main file would be missed, so there must be no log.
    """
    read_only = path.exists() and os.statvfs(path).f_flag & os.ST_RDONLY
    return bool(read_only) and not path.with_name(f"{path.name}-wal").exists()


def _database(path: Path) -> str:
    return f"file:{quote(str(path))}" if _unchangeable(path) else str(path)


def _place(file: Path, path: Path) -> None:
    """Give a finished file its name, unless there is one of that name."""
    try:
        os.link(file, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            file.rename(path)


_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk that holds {path} is full; nothing was stored: free some space",
    sqlite3.SQLITE_READONLY: "cannot write {path}: it or its folder is read-only",
    sqlite3.SQLITE_CANTOPEN: "cannot open {path}: it or its folder cannot be read and written",
    sqlite3.SQLITE_PERM: "cannot open {path}: permission denied",
    sqlite3.SQLITE_BUSY: "another process keeps {path} locked; try again when it is done",
    sqlite3.SQLITE_LOCKED: "another process keeps {path} locked; try again when it is done",
    sqlite3.SQLITE_IOERR: "cannot read or write {path}: the disk reports an error, or is full",
}


def _is_full(path: Path) -> bool:
    """Return whether a disk has no room for the smallest file that SQLite keeps beside its own."""
    try:
        disk = os.statvfs(path.parent)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _SHARED_MEMORY


def _explain(error: BaseException | None, path: Path) -> GalleryError:
    # The low byte is the primary result code: https://www.sqlite.org/rescode.html
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_IOERR and _is_full(path):
        code = sqlite3.SQLITE_FULL
    if code in _ADVICE:
        return GalleryError(_ADVICE[code].format(path=path))
    return GalleryDamagedError(
        f"{path} cannot be read as a gallery ({error}); restore it from a backup, or move it away "
        "to begin with an empty one"
    )
