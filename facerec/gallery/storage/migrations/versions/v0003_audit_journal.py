"""Adds the audit journal, which is empty at first."""

import sqlalchemy as sa
from alembic import op

from facerec.gallery.encryption.master_key import KeySource

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0003"
down_revision = "0002"

_LARGE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade(keys: KeySource) -> None:
    """Make the tables of entries, signed heads and the key that signs them."""
    op.create_table(
        "audit",
        sa.Column("number", _LARGE, primary_key=True, autoincrement=False),
        *_texts("previous_sha256", "sha256", "recorded", "kind", "actor"),
        *_texts("request_id", "subject", "outcome", "details"),
    )
    op.create_index("audit_by_recorded", "audit", ["recorded"])
    op.create_index("audit_by_subject", "audit", ["subject"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", _LARGE, nullable=False),
        *_texts("sha256", "signed", "key_id", "signature"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit_key",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True),
        sa.Column("master_key_id", sa.String, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
    )


def _texts(*names: str) -> tuple[sa.Column[str], ...]:
    return tuple(sa.Column(name, sa.String, nullable=False) for name in names)
