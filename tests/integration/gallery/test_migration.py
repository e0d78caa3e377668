"""Homes of older versions, stored as their own code made them, opened by this one."""

import base64
import shutil
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from facerec.errors import MasterKeyError
from facerec.gallery.audit.event import AuditKind
from facerec.gallery.encryption.master_key import KeyFile, KeyText
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import ProfileState
from facerec.gallery.storage import schema
from tests.integration.gallery.test_gallery import SPACE, template, unit

HOMES = Path(__file__).parents[2] / "fixtures" / "homes"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A home of schema 1: Ada (two templates), Charles (suspended), Mary (two spaces)."""
    path = tmp_path / "gallery.db"
    shutil.copy(HOMES / "schema_1" / "gallery.db", path)
    return path


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    (found,) = connection.execute("SELECT schema_version FROM home").fetchone()
    connection.close()
    return int(found)


def test_everything_of_an_old_home_is_there_afterwards(old: Path) -> None:
    assert version(old) == 1
    with Gallery.open(old) as gallery:
        ada, charles, mary = gallery.list()
        assert (ada.profile_id, ada.name, ada.consent) == ("ada", "Ada Lovelace", "form 7")
        assert ada.galleries == ("default", "staff")
        assert (charles.state, charles.galleries) == (ProfileState.SUSPENDED, ("default",))
        assert (mary.templates, mary.galleries, mary.consent) == (2, ("staff",), "")
        assert ada.created.year == 2026
        assert gallery.revision == 6
        first, second = gallery.templates("ada")
        assert np.array_equal(first.embedding, unit(1))
        assert (first.source, first.quality) == ("picture 1.jpg", 0.8)
        assert (first.content_sha256, second.content_sha256) == ("ab" * 32, "")
        assert gallery.enrolled_content("Ada Lovelace") == {"ada": frozenset({"ab" * 32})}
        found = gallery.search(unit(4), embedding_space=SPACE, galleries=["staff"])
        assert (found.profile_ids, found.searched) == (("mary", "ada"), 2)
        assert gallery.search(unit(3), embedding_space=SPACE).profile_ids == ("ada",)
        assert gallery.references("mary", "dlib-1").shape == (1, 8)
        # And it is a home like any other: numbers go on where they were.
        new = gallery.enrol("New", [template(9)], profile_id="new")
        assert gallery.templates("new")[0].template_id == 6
        assert gallery.list()[-1] == new
    assert version(old) == schema.SCHEMA_VERSION


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A home of schema 3, as commit 730f990 made it: Ada, Charles, Mary, and one who is erased."""
    path = tmp_path / "sealed" / "gallery.db"
    path.parent.mkdir()
    shutil.copy(HOMES / "schema_3" / "gallery.db", path)
    return path


SEALED_BY = KeyText(base64.b64encode(bytes(range(32))).decode(), "the test's key")


def test_a_sealed_home_is_opened_migrated_and_used(sealed: Path) -> None:
    assert version(sealed) == 3
    with Gallery.open(sealed, SEALED_BY) as gallery:
        ada, charles, mary = gallery.list()
        assert (ada.name, ada.consent, ada.external_id) == ("Ada Lovelace", "form 7", "17")
        assert (ada.galleries, ada.attributes) == (("default", "staff"), {"floor": "2"})
        assert (charles.state, charles.valid_until) == (
            ProfileState.SUSPENDED,
            datetime(2030, 1, 1, tzinfo=UTC),
        )
        assert (mary.templates, mary.created) == (2, datetime(2026, 11, 1, 12, tzinfo=UTC))
        assert gallery.find_external("17") == "ada"
        assert np.array_equal(gallery.templates("ada")[0].embedding, unit(1))
        found = gallery.search(unit(4), embedding_space=SPACE, galleries=["staff"])
        assert (found.profile_ids, found.searched) == (("mary", "ada"), 2)
        assert gallery.life_cycle.receipt_of("gone") is not None
        assert gallery.journal.verify().sound
        *before, upgraded = gallery.journal.read()
        assert (len(before), upgraded.event.kind) == (8, AuditKind.HOME_UPGRADED)
        # What only the present version can do is done, and numbers go on where they were.
        gallery.enrol("New", [replace(template(9), image=b"picture")], profile_id="new")
        assert gallery.templates("new")[0].template_id == 7
        assert gallery.search(unit(9), embedding_space=SPACE).profile_ids[0] == "new"
        gallery.life_cycle.erase("charles")
    with Gallery.open(sealed, SEALED_BY) as gallery:
        assert [one.profile_id for one in gallery.list()] == ["ada", "mary", "new"]
        assert gallery.journal.verify().sound
    assert version(sealed) == schema.SCHEMA_VERSION


def test_a_sealed_home_stays_as_it_is_under_another_key(sealed: Path) -> None:
    with pytest.raises(MasterKeyError):
        Gallery.open(sealed, KeyText(base64.b64encode(bytes(32)).decode(), "X"))
    assert version(sealed) == 3
    with Gallery.open(sealed, SEALED_BY) as gallery:
        assert len(gallery.list()) == 3


def test_what_was_in_the_clear_is_gone_from_the_files(old: Path) -> None:
    before = old.read_bytes()
    secrets = [b"Lovelace", b"Somerville", b"form 7", b"picture 1", b"abababab", unit(3).tobytes()]
    assert all(secret in before for secret in secrets)
    with Gallery.open(old):
        for file in old.parent.iterdir():
            content = file.read_bytes()
            assert not [secret for secret in secrets if secret in content], file


def test_a_migration_that_fails_changes_nothing(old: Path) -> None:
    before = old.read_bytes()
    with pytest.raises(MasterKeyError):
        Gallery.open(old, KeyText("rubbish", "X"))
    assert version(old) == 1
    connection = sqlite3.connect(old)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT count(*) FROM template").fetchone() == (5,)
    connection.close()
    assert len(old.read_bytes()) == len(before)
    with Gallery.open(old) as gallery:
        assert len(gallery.list()) == 3


def test_the_steps_end_in_the_schema_that_the_code_uses(
    old: Path, sealed: Path, tmp_path: Path
) -> None:
    """A migrated database and a new one must be the same, or later steps would differ."""
    Gallery.open(old).close()
    Gallery.open(sealed, SEALED_BY).close()
    Gallery.open(tmp_path / "new" / "gallery.db", KeyFile(tmp_path / "master.key")).close()
    for path in (old, sealed, tmp_path / "new" / "gallery.db"):
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, schema.metadata) == []
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            keys = {
                (table, key["referred_table"], tuple(key["constrained_columns"]))
                for table in sa.inspect(connection).get_table_names()
                for key in sa.inspect(connection).get_foreign_keys(table)
            }
            assert keys == {
                (table.name, key.column.table.name, (key.parent.name,))
                for table in schema.metadata.sorted_tables
                for key in table.foreign_keys
            }
        engine.dispose()


def test_the_first_step_makes_the_first_schema(old: Path) -> None:
    from facerec.gallery.storage.migrations.versions import v0001_people_and_templates as first

    assert first.down_revision is None
    made = sa.create_engine("sqlite://")
    stored = sa.create_engine(sa.URL.create("sqlite", database=str(old)))
    from alembic.operations import Operations

    with made.connect() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            first.upgrade(KeyText("", ""))
        expected = sa.MetaData()
        expected.reflect(connection)
    with stored.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, expected) == []
    made.dispose()
    stored.dispose()
