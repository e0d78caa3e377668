"""The tables of the gallery's database.

SQLAlchemy Core rather than the ORM: importing the ORM costs a command 0.2 s of its two seconds, and
what is read here is arrays, not graphs of objects.

Every change bumps ``home.revision`` and lists the people that it touched in ``change``, in the same
transaction; that is how an index in another process learns what to read again.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

__all__ = [
    "SCHEMA_VERSION",
    "change",
    "gallery",
    "home",
    "membership",
    "metadata",
    "profile",
    "template",
]

SCHEMA_VERSION = 1
"""Rises with every change of these tables; a home with a higher one is refused."""

metadata = MetaData()

home = Table(
    "home",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("schema_version", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
)
"""One row: what the rest of the file means, and how often it has changed."""

gallery = Table(
    "gallery",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("created", String, nullable=False),
    sqlite_autoincrement=True,
)
"""Named groups of people. Times are ISO 8601 in UTC throughout."""

profile = Table(
    "profile",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("profile_id", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("state", String, nullable=False),
    Column("consent", String, nullable=False),
    Column("created", String, nullable=False),
    Index("profile_by_name", "name"),
    sqlite_autoincrement=True,
)

membership = Table(
    "membership",
    metadata,
    Column("gallery", ForeignKey("gallery.number", ondelete="CASCADE"), primary_key=True),
    Column("profile", ForeignKey("profile.number", ondelete="CASCADE"), primary_key=True),
    Index("membership_by_profile", "profile"),
)

template = Table(
    "template",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("profile", ForeignKey("profile.number", ondelete="CASCADE"), nullable=False),
    Column("embedding_space", String, nullable=False),
    Column("embedding", LargeBinary, nullable=False),
    Column("quality", Float, nullable=False),
    Column("source", String, nullable=False),
    Column("content_sha256", String, nullable=False),
    Column("created", String, nullable=False),
    Index("template_by_profile", "profile"),
    Index("template_by_space", "embedding_space"),
    sqlite_autoincrement=True,
)
"""``embedding`` is little-endian float32; ``content_sha256`` is of the picture's file, or ""."""

change = Table(
    "change",
    metadata,
    Column("revision", Integer, primary_key=True),
    Column("profile", Integer, primary_key=True),
)
"""Whose templates, galleries or state changed at which revision; the person may be gone since."""
