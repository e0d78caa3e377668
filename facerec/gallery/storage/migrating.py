"""Bringing the database of an older home to the present schema, with Alembic."""

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from facerec.gallery.encryption.master_key import KeySource

__all__ = ["upgrade"]

_VERSION_TABLE = "alembic_version"


def upgrade(connection: Connection, keys: KeySource) -> None:
    """Run every step from the version of a database to the present one, in its transaction.

    Args:
        connection: In a transaction that may write, without checks of foreign keys.
        keys: Where the master key comes from, for steps that seal.

    Raises:
        MasterKeyError: a step must seal, and there is no master key.
    """
    scripts = ScriptDirectory(str(Path(__file__).parent / "migrations"))
    version = connection.execute(text("SELECT schema_version FROM home")).scalar_one()
    context = MigrationContext.configure(
        connection,
        opts={
            "fn": lambda revision, _: scripts._upgrade_revs("head", revision),
            "version_table": _VERSION_TABLE,
        },
    )
    context.stamp(scripts, f"{version:04d}")
    with Operations.context(context):
        context.run_migrations(keys=keys)
    (head,) = scripts.get_heads()
    # The home's own column is what facerec goes by; Alembic's table was only its scratch paper.
    connection.execute(text(f"DROP TABLE {_VERSION_TABLE}"))
    connection.execute(text("UPDATE home SET schema_version = :version"), {"version": int(head)})
