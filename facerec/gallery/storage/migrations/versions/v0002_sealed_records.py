"""Seals what is stored of people, and adds validity, retention, consents and receipts.

The new tables are made beside the old ones, filled, and then take their names: SQLite cannot add
columns that must not be empty.
"""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op

from facerec.gallery.encryption.master_key import KeySource
from facerec.gallery.encryption.sealed_records import (
    ConsentDetails,
    Owner,
    ProfileDetails,
    TemplateDetails,
)
from facerec.gallery.encryption.vault import Vault

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0002"
down_revision = "0001"

_AT_ONCE = 10_000


def upgrade(keys: KeySource) -> None:
    """Make the tables of the second version and fill them, sealed, from those of the first."""
    vault = _remake_home(keys)
    _create_profile()
    _create_keys_and_consents()
    _create_template()
    connection = op.get_bind()
    new = sa.MetaData()
    names = ("new_profile", "data_key", "consent", "new_template")
    tables = {name: sa.Table(name, new, autoload_with=connection) for name in names}
    owners: dict[int, Owner] = {}
    for chunk in _chunks("SELECT * FROM profile ORDER BY number"):
        for row in chunk:
            owners[row.number] = _copy_profile(connection, tables, vault, row)
    for chunk in _chunks("SELECT * FROM template ORDER BY number"):
        sealed = [_sealed_template(owners[row.profile], row) for row in chunk]
        connection.execute(sa.insert(tables["new_template"]), sealed)
    for name in ("template", "profile"):
        op.drop_table(name)
        op.rename_table(f"new_{name}", name)
    _create_indexes()
    _create_receipts_and_snapshot()


def _remake_home(keys: KeySource) -> Vault:
    """Give the home an id and keys of its own."""
    home_id = secrets.token_hex(16)
    vault = Vault(home_id, keys, keys.load_or_make())
    tag_key, sealed = vault.new_key("tags")
    vault.use_tag_key(tag_key)
    connection = op.get_bind()
    old = connection.execute(sa.text("SELECT schema_version, revision FROM home")).one()
    op.drop_table("home")
    home = op.create_table(
        "home",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("home_id", sa.String, nullable=False),
        sa.Column("master_key_id", sa.String, nullable=False),
        sa.Column("tag_key", sa.LargeBinary, nullable=False),
    )
    connection.execute(
        sa.insert(home).values(
            id=1,
            schema_version=old.schema_version,
            revision=old.revision,
            home_id=home_id,
            master_key_id=sealed.master_key_id,
            tag_key=sealed.wrapped,
        )
    )
    return vault


def _chunks(query: str) -> Iterator[list[sa.Row[Any]]]:
    result = op.get_bind().execute(sa.text(query))
    while chunk := list(result.fetchmany(_AT_ONCE)):
        yield chunk


def _copy_profile(
    connection: sa.Connection, tables: Mapping[str, sa.Table], vault: Vault, row: sa.Row[Any]
) -> Owner:
    key, sealed = vault.new_key(row.profile_id)
    owner = Owner(vault.home_id, row.profile_id, key)
    connection.execute(
        sa.insert(tables["new_profile"]).values(
            number=row.number,
            profile_id=row.profile_id,
            state=row.state,
            name_tag=vault.tag("name", row.name),
            details=owner.seal_profile(ProfileDetails(row.name)),
            created=row.created,
        )
    )
    connection.execute(
        sa.insert(tables["data_key"]).values(
            profile=row.number, master_key_id=sealed.master_key_id, wrapped=sealed.wrapped
        )
    )
    if row.consent:
        details = ConsentDetails("identification", "consent", row.consent)
        connection.execute(
            sa.insert(tables["consent"]).values(
                profile=row.number, details=owner.seal_consent(details), given=row.created
            )
        )
    return owner


def _sealed_template(owner: Owner, row: sa.Row[Any]) -> dict[str, object]:
    embedding = np.frombuffer(row.embedding, "<f4")
    return {
        "number": row.number,
        "profile": row.profile,
        "embedding_space": row.embedding_space,
        "embedding": owner.seal_embedding(embedding, row.embedding_space),
        "details": owner.seal_template(TemplateDetails(row.source, row.content_sha256)),
        "quality": row.quality,
        "created": row.created,
    }


def _person(*, primary_key: bool = False) -> sa.Column[Any]:
    """Return a column that refers to a person, by the name that their table will have."""
    target = sa.ForeignKey("profile.number", ondelete="CASCADE")
    return sa.Column("profile", sa.Integer, target, primary_key=primary_key, nullable=False)


def _create_profile() -> None:
    op.create_table(
        "new_profile",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("profile_id", sa.String, nullable=False, unique=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("name_tag", sa.String, nullable=False),
        sa.Column("external_tag", sa.String, unique=True),
        sa.Column("details", sa.LargeBinary, nullable=False),
        sa.Column("valid_from", sa.String),
        sa.Column("valid_until", sa.String),
        sa.Column("last_seen", sa.String),
        sa.Column("erase_on", sa.String),
        sa.Column("erase_unseen_days", sa.Integer),
        sa.Column("created", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )


def _create_keys_and_consents() -> None:
    op.create_table(
        "data_key",
        _person(primary_key=True),
        sa.Column("master_key_id", sa.String, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "consent",
        sa.Column("number", sa.Integer, primary_key=True),
        _person(),
        sa.Column("details", sa.LargeBinary, nullable=False),
        sa.Column("given", sa.String, nullable=False),
        sa.Column("withdrawn", sa.String),
        sqlite_autoincrement=True,
    )


def _create_template() -> None:
    op.create_table(
        "new_template",
        sa.Column("number", sa.Integer, primary_key=True),
        _person(),
        sa.Column("embedding_space", sa.String, nullable=False),
        sa.Column("embedding", sa.LargeBinary, nullable=False),
        sa.Column("details", sa.LargeBinary, nullable=False),
        sa.Column("quality", sa.Float, nullable=False),
        sa.Column("created", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )


def _create_indexes() -> None:
    op.create_index("profile_by_name", "profile", ["name_tag"])
    op.create_index("profile_by_valid_from", "profile", ["valid_from"])
    op.create_index("profile_by_valid_until", "profile", ["valid_until"])
    op.create_index("template_by_profile", "template", ["profile"])
    op.create_index("template_by_space", "template", ["embedding_space"])
    op.create_index("consent_by_profile", "consent", ["profile"])


def _create_receipts_and_snapshot() -> None:
    op.create_table(
        "erasure",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("receipt_id", sa.String, nullable=False, unique=True),
        sa.Column("profile_tag", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("erased", sa.String, nullable=False),
        sa.Column("templates", sa.Integer, nullable=False),
        sa.Column("evidence_sha256", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "snapshot",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True),
        sa.Column("master_key_id", sa.String, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("snapshot_id", sa.String, nullable=False),
    )
