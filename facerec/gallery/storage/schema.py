"""The tables of the gallery's database.

SQLAlchemy Core rather than the ORM: importing the ORM costs a command 0.2 s of its two seconds, and
what is read here is arrays, not graphs of objects.

Every change bumps ``home.revision`` and lists the people that it touched in ``change``, in the same
transaction; that is how an index in another process learns what to read again.

Whatever tells of a person is sealed with their data key (`facerec.gallery.encryption.vault`); in
the clear are only what queries need: numbers, ids, states and times. Times are ISO 8601 in UTC with
microseconds, so that their order is that of their text.
"""

from sqlalchemy import (
    BigInteger,
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
    "audit",
    "audit_head",
    "audit_key",
    "change",
    "consent",
    "data_key",
    "erasure",
    "gallery",
    "home",
    "image",
    "membership",
    "metadata",
    "profile",
    "snapshot",
    "template",
]

SCHEMA_VERSION = 5
"""Rises with every change of these tables, which needs a file in ``migrations/versions``; a home
with a higher one is refused."""

metadata = MetaData()

_Large = BigInteger().with_variant(Integer, "sqlite")
"""64 bits; SQLite's integers have them always."""

home = Table(
    "home",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("schema_version", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("home_id", String, nullable=False),
    Column("master_key_id", String, nullable=False),
    Column("tag_key", LargeBinary, nullable=False),
)
"""One row: what the rest of the file means, how often it has changed, and which master key opens
it. ``tag_key`` is sealed with the master key."""

gallery = Table(
    "gallery",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("created", String, nullable=False),
    sqlite_autoincrement=True,
)
"""Named groups of people."""

profile = Table(
    "profile",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("profile_id", String, nullable=False, unique=True),
    Column("state", String, nullable=False),
    Column("name_tag", String, nullable=False),
    Column("external_tag", String, unique=True),
    Column("details", LargeBinary, nullable=False),
    Column("valid_from", String),
    Column("valid_until", String),
    Column("last_seen", String),
    Column("erase_on", String),
    Column("erase_unseen_days", Integer),
    Column("created", String, nullable=False),
    Index("profile_by_name", "name_tag"),
    Index("profile_by_valid_from", "valid_from"),
    Index("profile_by_valid_until", "valid_until"),
    sqlite_autoincrement=True,
)
"""``details`` seals name, external id and attributes; the tags find equal ones."""

data_key = Table(
    "data_key",
    metadata,
    Column("profile", ForeignKey("profile.number", ondelete="CASCADE"), primary_key=True),
    Column("master_key_id", String, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)
"""A person's data key, sealed with a master key."""

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
    Column("details", LargeBinary, nullable=False),
    Column("quality", Float, nullable=False),
    Column("created", String, nullable=False),
    Index("template_by_profile", "profile"),
    Index("template_by_space", "embedding_space"),
    sqlite_autoincrement=True,
)
"""``embedding`` seals little-endian float32; ``details`` seals where the picture came from."""

consent = Table(
    "consent",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("profile", ForeignKey("profile.number", ondelete="CASCADE"), nullable=False),
    Column("details", LargeBinary, nullable=False),
    Column("given", String, nullable=False),
    Column("withdrawn", String),
    Index("consent_by_profile", "profile"),
    sqlite_autoincrement=True,
)
"""``details`` seals purpose, legal basis and the reference to the evidence."""

erasure = Table(
    "erasure",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("receipt_id", String, nullable=False, unique=True),
    Column("profile_tag", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("erased", String, nullable=False),
    Column("templates", Integer, nullable=False),
    Column("evidence_sha256", String, nullable=False),
    sqlite_autoincrement=True,
)
"""Receipts of erasures; they tell nothing of whom."""

snapshot = Table(
    "snapshot",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("master_key_id", String, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("snapshot_id", String, nullable=False),
)
"""At most one row: the key of the index snapshot's file, which to delete is to erase the file."""

change = Table(
    "change",
    metadata,
    Column("revision", Integer, primary_key=True),
    Column("profile", Integer, primary_key=True),
    Index("change_by_profile", "profile", "revision"),
)
"""Whose templates, galleries or state changed at which revision; the person may be gone since."""

audit = Table(
    "audit",
    metadata,
    Column("number", _Large, primary_key=True, autoincrement=False),
    Column("previous_sha256", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("recorded", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("details", String, nullable=False),
    Index("audit_by_recorded", "recorded"),
    Index("audit_by_subject", "subject"),
)
"""The journal of changes and decisions, a chain of hashes (`facerec.gallery.audit.entry`);
``subject`` is a person's pseudonym. Rows are only ever added."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", _Large, nullable=False),
    Column("sha256", String, nullable=False),
    Column("signed", String, nullable=False),
    Column("key_id", String, nullable=False),
    Column("signature", String, nullable=False),
    sqlite_autoincrement=True,
)
"""Signed ends of the journal: the present one, and one of every thousand entries."""

audit_key = Table(
    "audit_key",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("master_key_id", String, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)
"""One row: the key that signs heads, sealed with the master key."""

image = Table(
    "image",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("profile", ForeignKey("profile.number", ondelete="CASCADE"), nullable=False),
    Column("picture", LargeBinary, nullable=False),
    Column("created", String, nullable=False),
    Index("image_by_profile", "profile"),
    sqlite_autoincrement=True,
)
"""Pictures that the operator chose to keep; ``picture`` seals the file as it was handed in."""
