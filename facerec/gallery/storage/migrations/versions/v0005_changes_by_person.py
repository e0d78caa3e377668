"""Adds the index by which a person's last change is found among those of everybody."""

from alembic import op

from facerec.gallery.encryption.master_key import KeySource

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0005"
down_revision = "0004"


def upgrade(keys: KeySource) -> None:
    """Make the index."""
    del keys
    op.create_index("change_by_profile", "change", ["profile", "revision"])
