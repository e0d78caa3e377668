"""A gallery in a PostgreSQL database."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from facerec.errors import GalleryDamagedError, GalleryError, RecordDamagedError
from facerec.gallery.storage.backend import RevisionReader

__all__ = ["PostgresBackend"]

_LOCK_TIMEOUT_MS = 10_000
"""How long a writer waits for another one's transaction before it gives up."""

_CONNECT_TIMEOUT_S = 10

_MAKING_LOCK = 0x66616365
"""Number of the advisory lock under which tables are made or remade: "face" in ASCII."""

_REVISION = "SELECT revision FROM home"
_CHANGED = "SELECT profile FROM change WHERE revision > %s"

_NUMBERED = (
    ("gallery", "number"),
    ("profile", "number"),
    ("template", "number"),
    ("consent", "number"),
    ("image", "number"),
    ("erasure", "number"),
    ("audit_head", "id"),
)
"""Columns that the server numbers."""

_HOLDS_ERASED = (
    "profile",
    "data_key",
    "template",
    "image",
    "consent",
    "membership",
    "change",
    "snapshot",
)


class PostgresBackend:
    """A database of a PostgreSQL server, with all tables in the first schema of its search path."""

    write_options: Mapping[str, Any] = {}
    # Every statement of a transaction sees the state at its first one.
    read_options: Mapping[str, Any] = {"isolation_level": "REPEATABLE READ"}

    def __init__(self, url: str, folder: Path) -> None:
        """Use a server.

        Args:
            url: ``postgresql://user:password@host/name``; what is left out libpq looks for in
                its environment variables and its password file.
            folder: Home of the master key and of the index snapshot.

        Raises:
            GalleryError: that is no such URL.
        """
        self.path = self.folder = folder
        try:
            given = make_url(url)
        except ArgumentError:
            given = None
        if given is None or given.get_backend_name() not in ("postgresql", "postgres"):
            raise GalleryError("database.url must be like postgresql://user@host/name")
        self._url = given.set(drivername="postgresql+psycopg")
        host = given.host or given.query.get("host", "this machine")
        self.name = f"the PostgreSQL database {given.database or '(default)'} on {host}"

    @property
    def snapshot_path(self) -> Path:
        """The file of the index snapshot, which need not be there."""
        return self.folder / "gallery.index"

    def make(self, fill: Callable[[Connection], None]) -> None:
        """Make the tables in an empty database; two processes at a time make them once."""
        engine = self.engine()
        try:
            with self.translated(), engine.begin() as connection:
                if inspect(connection).get_table_names():
                    return
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MAKING_LOCK})"))
                if not inspect(connection).get_table_names():
                    self.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
                    fill(connection)
        except OSError as error:
            raise GalleryError(
                f"cannot make the home {self.folder}: {error.strerror}; choose another with --home"
            ) from error
        finally:
            engine.dispose()

    def engine(self, *, foreign_keys: bool = True) -> Engine:
        """Return a pool of connections; foreign keys are always held."""
        return create_engine(
            self._url,
            max_overflow=-1,  # a reader never fails because many others are reading
            pool_pre_ping=True,  # a server that was restarted is not an error
            connect_args={
                "connect_timeout": _CONNECT_TIMEOUT_S,
                "options": f"-c lock_timeout={_LOCK_TIMEOUT_MS}",
            },
        )

    def lock(self, connection: Connection) -> None:
        """Take the home's one row: whoever holds it is the only writer."""
        connection.execute(text("SELECT id FROM home FOR UPDATE"))

    def revision_reader(self) -> RevisionReader:
        """Return what reads the revision without SQLAlchemy."""
        return _PostgresRevision(self._url)

    def tidy(self, engine: Engine) -> None:
        """Have the server write over what was deleted, as far as nobody reads it still.

        Its write-ahead log and its backups keep copies, which are sealed: `docs/gallery.md`.
        """
        with engine.connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            alone.execute(text(f"VACUUM {', '.join(_HOLDS_ERASED)}"))

    def note_numbers(self, connection: Connection) -> None:
        """Set each sequence to the highest number of its column, never back."""
        for table, column in _NUMBERED:
            sequence = f"pg_get_serial_sequence('{table}', '{column}')"
            highest = f"GREATEST((SELECT max({column}) FROM {table}), nextval({sequence}))"
            connection.execute(text(f"SELECT setval({sequence}, {highest})"))

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise errors of PostgreSQL as ours, without what the server says of the data."""
        try:
            yield
        except RecordDamagedError as error:
            raise GalleryDamagedError(
                f"{self.name} is damaged ({error}); restore it from a backup"
            ) from error
        except DBAPIError as error:
            raise self._explain(error.orig) from error
        except psycopg.Error as error:
            raise self._explain(error) from error

    def _explain(self, error: BaseException | None) -> GalleryError:
        state = getattr(error, "sqlstate", None) or ""
        advice = _ADVICE.get(state) or _ADVICE.get(state[:2])
        if not state:  # the connection was refused or lost; only the text says how
            said = str(error)
            found = (words for part, words in _SAID if part in said)
            advice = next(found, "cannot be reached; is the server running? See database.url")
        return GalleryError(f"{self.name} {advice or f'reports the error {state}; see its log'}")


class _PostgresRevision:
    """A connection of its own for questions of searches; made anew after a server's restart."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._asking = threading.Lock()
        self._connection = self._connect()

    def read(self) -> int | None:
        found = self._ask(_REVISION)
        return int(found[0][0]) if found else None

    def changed_since(self, revision: int) -> frozenset[int]:
        return frozenset(row[0] for row in self._ask(_CHANGED, revision))

    def _ask(self, question: LiteralString, *values: int) -> list[Any]:
        with self._asking:
            try:
                return self._connection.execute(question, values).fetchall()
            except psycopg.OperationalError:
                self._connection.close()
                self._connection = self._connect()
                return self._connection.execute(question, values).fetchall()

    def close(self) -> None:
        self._connection.close()

    def _connect(self) -> "psycopg.Connection[Any]":
        # Not as one text: SQLAlchemy and libpq write some characters in URLs differently.
        where: dict[str, Any] = self._url.translate_connect_args(username="user", database="dbname")
        where |= {"connect_timeout": _CONNECT_TIMEOUT_S, **self._url.query}
        return psycopg.connect(autocommit=True, **where)


_PASSWORD = "refuses the user or password; see database.url, PGPASSWORD and the password file"
_MISSING = "does not exist; make it with createdb, or correct database.url"

_ADVICE = {
    "28P01": _PASSWORD,
    "28000": _PASSWORD,
    "3D000": _MISSING,
    "53100": "has no space left on its disk; nothing was stored: free some space there",
    "53300": "takes no more connections; raise max_connections there",
    "55P03": "is kept locked by another process; try again when it is done",
    "25006": "is read-only",
    "42501": "does not let this user do that; give it the rights to create and change tables",
    "57": "is shutting down or starting up; try again in a moment",
    "08": "lost the connection; try again in a moment",
    "40": "was changed by another process at the same time; try again",
    "22": "does not take that value",
}
"""By SQLSTATE or its class: https://www.postgresql.org/docs/current/errcodes-appendix.html."""

_SAID = (
    ("password", _PASSWORD),
    ("authentication", _PASSWORD),
    ("no pg_hba.conf entry", _PASSWORD),
    ("role", _PASSWORD),
    ("does not exist", _MISSING),
    ("starting up", _ADVICE["57"]),
    ("shutting down", _ADVICE["57"]),
    ("too many", _ADVICE["53300"]),
)
"""Parts of what libpq says of a connection that was refused, which has no SQLSTATE."""
