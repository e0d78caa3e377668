"""Opening the gallery's SQLite file, and transactions on it."""

import os
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from facerec.errors import GalleryDamagedError, GalleryError, RecordDamagedError
from facerec.gallery import schema
from facerec.gallery.audit_event import SYSTEM, AuditEvent, AuditKind
from facerec.gallery.audit_writing import Pending, append_entries, begin_journal, open_signer
from facerec.gallery.home_key import new_home, open_vault, rewrap_keys
from facerec.gallery.identifiers import DEFAULT_GALLERY
from facerec.gallery.master_key import KeySource
from facerec.gallery.times import utc_now
from facerec.gallery.writing import insert_gallery

__all__ = ["Database"]

_BUSY_TIMEOUT_MS = 10_000
"""How long a writer waits for another process's transaction before it gives up."""

_SMALLEST_DATABASE = 512
"""Bytes of the smallest page of SQLite: https://www.sqlite.org/fileformat.html."""

_BEGIN = "sqlite_begin"
"""Name of our execution option that says how a transaction begins."""


_REVISION = "SELECT revision FROM home"


class Database:
    """A gallery's database file: many readers and one writer at a time, in any number of processes.

    Safe to use from several threads. Readers see the state of one instant and never wait for the
    writer (SQLite's write-ahead log).

    Attributes:
        path: The file.
        vault: Opens and seals what it holds.
        after_commit: Called in the writing thread after each committed change, before it is
            acknowledged to whoever made it.
    """

    def __init__(self, path: Path, keys: KeySource) -> None:
        """Open the file, or make it (0600, in a folder of 0700) when there is none.

        A file of an older version is brought to the present one.

        Raises:
            GalleryDamagedError: the file is not a gallery, or a damaged one.
            GalleryError: it cannot be read or written, or a newer facerec made it.
            MasterKeyError: the master key is missing, or is not the one of this file.
        """
        if not path.exists():
            _make(path, keys)
        _refuse_no_database(path)
        self.path = path
        self.after_commit: Callable[[], None] = lambda: None
        self._engine = _engine(path)
        self._asking = threading.Lock()
        with _translated(path):
            self._revision_reader = sqlite3.connect(
                path, check_same_thread=False, isolation_level=None
            )
        try:
            self._refuse_foreign()
            self._upgrade(keys)
            with self.reading() as connection:
                self.vault = open_vault(connection, keys)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close all connections."""
        self._revision_reader.close()
        self._engine.dispose()

    @property
    def snapshot_path(self) -> Path:
        """The file of the index snapshot, which need not be there."""
        return self.path.with_name(f"{self.path.name}.index")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees the state of one instant for as long as it is held."""
        with _translated(self.path), self._engine.connect() as connection:
            yield connection

    def revision(self) -> int:
        """Return how often the database has been changed, by any process.

        Asked at every search, so it has a connection of its own: through SQLAlchemy the question
        costs more than searching a thousand people.

        Raises:
            RecordDamagedError: it is missing.
        """
        with _translated(self.path), self._asking:
            row = self._revision_reader.execute(_REVISION).fetchone()
        if row is None:
            raise RecordDamagedError("its revision is missing")
        return int(row[0])

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are all kept when the block ends, or none if it raises.

        The write lock is taken at the start, so that what is read inside cannot be outdated by
        another process before the change is made.
        """
        with _translated(self.path), self._engine.connect() as connection:
            with connection.execution_options(**{_BEGIN: "IMMEDIATE"}).begin():
                yield connection
        self.after_commit()

    def rotate_master_key(self, record: Callable[[Connection], None]) -> int:
        """Wrap every key with a new master key; return how many people's there are.

        Killed at any moment, the old and the new key are both at hand until all is wrapped anew.

        Args:
            record: Enters the change in the journal, in its transaction.

        Raises:
            MasterKeyError: the source of the key has no new one.
        """
        with self.writing() as connection:
            present = connection.scalar(select(schema.home.c.master_key_id))
            record(connection)
            vault, forget_old = self.vault.rotated(present or "")
            count = rewrap_keys(connection, vault)
        self.vault = vault
        self.tidy()
        forget_old()
        return count

    def tidy(self) -> None:
        """Move what was committed into the main file and empty the log of changes, if nobody reads.

        Otherwise what was erased would linger in the log until it is written over.
        """
        with _translated(self.path), self._engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            if raw is not None:
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def _refuse_foreign(self) -> None:
        """Refuse a database that is not of our make or age."""
        with self.reading() as connection:
            tables = set(inspect(connection).get_table_names())
            if schema.home.name not in tables:
                raise GalleryDamagedError(f"{self.path} is a database, but not one of facerec's")
            version = _version(connection)
        if version is None:
            raise GalleryDamagedError(
                f"{self.path} does not say which version it is; restore it from a backup"
            )
        if version > schema.SCHEMA_VERSION:
            raise GalleryError(
                f"{self.path} was made by a newer facerec (schema {version}; this one knows "
                f"{schema.SCHEMA_VERSION}): upgrade facerec"
            )
        if version == schema.SCHEMA_VERSION and not set(schema.metadata.tables) <= tables:
            raise GalleryDamagedError(
                f"{self.path} lacks tables of a gallery; restore it from a backup"
            )

    def _upgrade(self, keys: KeySource) -> None:
        """Bring a file of an older version to the present one: wholly, or not at all."""
        with self.reading() as connection:
            if _version(connection) == schema.SCHEMA_VERSION:
                return
        from facerec.gallery.migrating import upgrade  # Alembic costs a third of a second

        # While tables are remade, dropping one must not delete what refers to it.
        engine = _engine(self.path, foreign_keys=False)
        try:
            with (
                _translated(self.path),
                engine.connect() as connection,
                connection.execution_options(**{_BEGIN: "IMMEDIATE"}).begin(),
            ):
                if _version(connection) != schema.SCHEMA_VERSION:  # another process was not faster
                    upgrade(connection, keys)
                    _begin_journal(connection, keys, AuditKind.HOME_UPGRADED)
        finally:
            engine.dispose()
        self.tidy()


def _version(connection: Connection) -> int | None:
    return connection.scalar(select(schema.home.c.schema_version))


def _make(path: Path, keys: KeySource) -> None:
    """Make the file of an empty gallery, whole at the moment at which it appears.

    So an empty or half-made file is never one that another process is about to finish: it is
    damage. When two processes make one at a time, the first one's stays.
    """
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as folder:
            file = Path(folder) / path.name
            # SQLite gives its -wal and -shm files the mode of the file that they belong to.
            file.touch(mode=0o600)
            _make_tables(file, keys)
            _place(file, path)
    except OSError as error:
        raise GalleryError(
            f"cannot make {path}: {error.strerror}; make its folder writable, or choose another "
            "with --home"
        ) from error


def _place(file: Path, path: Path) -> None:
    """Give a finished file its name, unless there is one of that name."""
    try:
        os.link(file, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            file.rename(path)


def _make_tables(path: Path, keys: KeySource) -> None:
    engine = _engine(path)
    try:
        with _translated(path), engine.begin() as connection:
            schema.metadata.create_all(connection)
            version = {"schema_version": schema.SCHEMA_VERSION, "revision": 1}
            connection.execute(insert(schema.home).values(id=1, **version, **new_home(keys)))
            insert_gallery(connection, DEFAULT_GALLERY, utc_now())
            _begin_journal(connection, keys, AuditKind.HOME_CREATED)
    finally:
        engine.dispose()


def _begin_journal(connection: Connection, keys: KeySource, kind: AuditKind) -> None:
    """Make the journal's key if there is none, and enter that the home was made or upgraded."""
    vault = open_vault(connection, keys)
    begin_journal(connection, vault)
    event = AuditEvent(kind, note=f"schema {schema.SCHEMA_VERSION}")
    signer = open_signer(connection, vault)
    append_entries(connection, vault, signer, [Pending(SYSTEM, event, utc_now())])


def _refuse_no_database(path: Path) -> None:
    """Refuse what SQLite would take for a database that is yet to be filled."""
    if not path.is_file():
        raise GalleryError(f"{path} must be a file; it is something else")
    if path.stat().st_size < _SMALLEST_DATABASE:
        raise GalleryDamagedError(
            f"{path} is cut off; restore it from a backup, or move it away to begin with an empty "
            "gallery"
        )


def _engine(path: Path, *, foreign_keys: bool = True) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
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


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Raise errors of SQLite as ours, which say what to do."""
    try:
        yield
    except RecordDamagedError as error:
        raise GalleryDamagedError(
            f"{path} is damaged ({error}); restore it from a backup"
        ) from error
    except DBAPIError as error:
        raise _explain(error.orig, path) from error
    except sqlite3.Error as error:
        raise _explain(error, path) from error


_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk that holds {path} is full; nothing was stored: free some space",
    sqlite3.SQLITE_READONLY: "cannot write {path}: it or its folder is read-only",
    sqlite3.SQLITE_CANTOPEN: "cannot open {path}: it or its folder cannot be read and written",
    sqlite3.SQLITE_PERM: "cannot open {path}: permission denied",
    sqlite3.SQLITE_BUSY: "another process keeps {path} locked; try again when it is done",
    sqlite3.SQLITE_LOCKED: "another process keeps {path} locked; try again when it is done",
    sqlite3.SQLITE_IOERR: "cannot read or write {path}: the disk reports an error, or is full",
}


def _explain(error: BaseException | None, path: Path) -> GalleryError:
    # The low byte is the primary result code: https://www.sqlite.org/rescode.html
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _ADVICE:
        return GalleryError(_ADVICE[code].format(path=path))
    return GalleryDamagedError(
        f"{path} cannot be read as a gallery ({error}); restore it from a backup, or move it away "
        "to begin with an empty one"
    )
