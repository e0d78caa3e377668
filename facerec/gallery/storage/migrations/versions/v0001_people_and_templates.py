"""The first schema: everything in the clear."""

import sqlalchemy as sa
from alembic import op

from facerec.gallery.encryption.master_key import KeySource

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0001"
down_revision = None


def upgrade(keys: KeySource) -> None:
    """Make the tables of the first version."""
    op.create_table(
        "home",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    op.create_table(
        "gallery",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("created", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "profile",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("profile_id", sa.String, nullable=False, unique=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("consent", sa.String, nullable=False),
        sa.Column("created", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("profile_by_name", "profile", ["name"])
    _create_membership_and_template()
    op.create_table(
        "change",
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("profile", sa.Integer, primary_key=True),
    )


def _create_membership_and_template() -> None:
    op.create_table(
        "membership",
        sa.Column(
            "gallery",
            sa.Integer,
            sa.ForeignKey("gallery.number", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column(
            "profile",
            sa.Integer,
            sa.ForeignKey("profile.number", ondelete="CASCADE"),
            primary_key=True,
        ),
    )
    op.create_index("membership_by_profile", "membership", ["profile"])
    op.create_table(
        "template",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column(
            "profile",
            sa.Integer,
            sa.ForeignKey("profile.number", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("embedding_space", sa.String, nullable=False),
        sa.Column("embedding", sa.LargeBinary, nullable=False),
        sa.Column("quality", sa.Float, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("content_sha256", sa.String, nullable=False),
        sa.Column("created", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("template_by_profile", "template", ["profile"])
    op.create_index("template_by_space", "template", ["embedding_space"])
