"""Adds the pictures that operators choose to keep; there are none at first."""

import sqlalchemy as sa
from alembic import op

from facerec.gallery.encryption.master_key import KeySource

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0004"
down_revision = "0003"


def upgrade(keys: KeySource) -> None:
    """Make the table of kept pictures."""
    op.create_table(
        "image",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column(
            "profile",
            sa.Integer,
            sa.ForeignKey("profile.number", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("picture", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("image_by_profile", "image", ["profile"])
