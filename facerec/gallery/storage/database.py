"""Opening the gallery's database, and transactions on it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, insert, inspect, select

from facerec.errors import GalleryDamagedError, GalleryError, RecordDamagedError
from facerec.gallery.audit.event import SYSTEM, AuditEvent, AuditKind
from facerec.gallery.audit.writing import Pending, append_entries, begin_journal, open_signer
from facerec.gallery.encryption.home_key import new_home, open_vault, rewrap_keys
from facerec.gallery.encryption.master_key import KeySource
from facerec.gallery.identifiers import DEFAULT_GALLERY
from facerec.gallery.storage import schema
from facerec.gallery.storage.backend import Backend
from facerec.gallery.storage.reading import read_revision
from facerec.gallery.storage.scratch_folder import sweep
from facerec.gallery.storage.writing import insert_gallery, note_revision, noted_revision
from facerec.gallery.times import utc_now

__all__ = ["Database"]


class Database:
    """A gallery's database: many readers and one writer at a time, in any number of processes.

    Safe to use from several threads. Readers see the state of one instant and never wait for the
    writer.

    Attributes:
        backend: The database system, and where in it the tables are.
        vault: Opens and seals what it holds.
        around_write: Makes the context that each change is made in, in the writing thread; left
            when it is committed and not yet acknowledged to whoever made it.
        before_commit: Told, while nobody else can write, at which revision a change began and
            which one it makes, just before it is committed.
    """

    def __init__(self, backend: Backend, keys: KeySource) -> None:
        """Open the database, or make its tables when there are none.

        One of an older version is brought to the present one.

        Raises:
            GalleryDamagedError: it is not a gallery, or a damaged one.
            GalleryError: it cannot be read or written, or a newer facerec made it.
            MasterKeyError: the master key is missing, or is not the one of this gallery.
        """
        backend.make(lambda connection: _fill(connection, keys))
        self.backend = backend
        self.around_write: Callable[[], AbstractContextManager[None]] = nullcontext
        self.before_commit: Callable[[int, int], None] = lambda began, makes: None
        self._engine = backend.engine()
        with backend.translated():
            self._revision_reader = backend.revision_reader()
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
        return self.backend.snapshot_path

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees the state of one instant for as long as it is held."""
        options = self.backend.read_options
        with self.backend.translated(), self._engine.connect() as connection:
            yield connection.execution_options(**options)

    def revision(self) -> int:
        """Return how often the database has been changed, by any process.

        Asked at every search, so it has a connection of its own: through SQLAlchemy the question
        costs more than searching a thousand people.

        Raises:
            RecordDamagedError: it is missing.
        """
        with self.backend.translated():
            revision = self._revision_reader.read()
        if revision is None:
            raise RecordDamagedError("its revision is missing")
        return revision

    def changed_since(self, revision: int) -> frozenset[int]:
        """Return the numbers of the people who were changed after a revision, erased ones too.

        Asked by searches while others write; in a transaction use `index.reading.changed_since`.
        """
        with self.backend.translated():
            return self._revision_reader.changed_since(revision)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are all kept when the block ends, or none if it raises.

        The write lock is taken at the start, so that what is read inside cannot be outdated by
        another process before the change is made.

        Raises:
            GalleryDamagedError: its revision is missing.
            GalleryError: it cannot be written; nothing is changed.
        """
        backend = self.backend
        with (
            self.around_write(),
            backend.translated(),
            self._engine.connect() as connection,
        ):
            with connection.execution_options(**backend.write_options).begin():
                backend.lock(connection)
                began = read_revision(connection)
                note_revision(connection, began)
                yield connection
                self.before_commit(began, noted_revision(connection))

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
        """Leave no traces of what was erased in the database's files, as far as nobody reads.

        Nor in copies of them that killed processes left in the home.
        """
        with self.backend.translated():
            self.backend.tidy(self._engine)
        sweep(self.backend.folder)

    def _refuse_foreign(self) -> None:
        """Refuse a database that is not of our make or age."""
        name = self.backend.name
        with self.reading() as connection:
            tables = set(inspect(connection).get_table_names())
            if schema.home.name not in tables:
                raise GalleryDamagedError(f"{name} is a database, but not one of facerec's")
            version = _version(connection)
        if version is None:
            raise GalleryDamagedError(
                f"{name} does not say which version it is; restore it from a backup"
            )
        if version > schema.SCHEMA_VERSION:
            raise GalleryError(
                f"{name} was made by a newer facerec (schema {version}; this one knows "
                f"{schema.SCHEMA_VERSION}): upgrade facerec"
            )
        if version == schema.SCHEMA_VERSION and not set(schema.metadata.tables) <= tables:
            raise GalleryDamagedError(f"{name} lacks tables of a gallery; restore it from a backup")

    def _upgrade(self, keys: KeySource) -> None:
        """Bring a file of an older version to the present one: wholly, or not at all."""
        with self.reading() as connection:
            if _version(connection) == schema.SCHEMA_VERSION:
                return
        from facerec.gallery.storage.migrating import upgrade  # Alembic costs a third of a second

        # While tables are remade, dropping one must not delete what refers to it.
        backend = self.backend
        engine = backend.engine(foreign_keys=False)
        try:
            with (
                backend.translated(),
                engine.connect() as connection,
                connection.execution_options(**backend.write_options).begin(),
            ):
                backend.lock(connection)
                if _version(connection) != schema.SCHEMA_VERSION:  # another process was not faster
                    upgrade(connection, keys)
                    _begin_journal(connection, keys, AuditKind.HOME_UPGRADED)
        finally:
            engine.dispose()
        self.tidy()


def _version(connection: Connection) -> int | None:
    return connection.scalar(select(schema.home.c.schema_version))


def _fill(connection: Connection, keys: KeySource) -> None:
    """Make the tables of an empty gallery."""
    schema.metadata.create_all(connection)
    version = {"schema_version": schema.SCHEMA_VERSION, "revision": 1}
    connection.execute(insert(schema.home).values(id=1, **version, **new_home(keys)))
    insert_gallery(connection, DEFAULT_GALLERY, utc_now())
    _begin_journal(connection, keys, AuditKind.HOME_CREATED)


def _begin_journal(connection: Connection, keys: KeySource, kind: AuditKind) -> None:
    """Make the journal's key if there is none, and enter that the home was made or upgraded."""
    vault = open_vault(connection, keys)
    begin_journal(connection, vault)
    event = AuditEvent(kind, note=f"schema {schema.SCHEMA_VERSION}")
    signer = open_signer(connection, vault)
    append_entries(connection, vault, signer, [Pending(SYSTEM, event, utc_now())])
