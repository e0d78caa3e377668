"""What only a gallery on a PostgreSQL server can meet with: each is one clear line."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from facerec.errors import GalleryDamagedError, GalleryError
from facerec.gallery.gallery import Gallery
from facerec.gallery.storage import schema
from tests.integration.gallery.postgres_server import PASSWORD, PostgresServer
from tests.integration.gallery.test_gallery import SPACE, template, unit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "gallery.db"


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    with PostgresServer() as server:
        yield server


def refusal(path: Path, url: str) -> str:
    with pytest.raises(GalleryError) as caught:
        Gallery.open(path, url=url)
    message = str(caught.value)
    assert "\n" not in message
    assert PASSWORD not in message and "tester" not in message
    return message


def test_a_server_that_is_down_or_refuses(postgres: PostgresServer, path: Path) -> None:
    there = postgres.url("postgres")
    assert "refuses the user or password" in refusal(path, postgres.url("postgres", "guessed"))
    nobody = postgres.url("postgres", user="stranger")
    assert "refuses the user or password" in refusal(path, nobody)
    assert "does not exist; make it with createdb" in refusal(path, postgres.url("nothing"))
    elsewhere = there.replace(str(postgres.folder), "/nowhere")
    assert "cannot be reached; is the server running?" in refusal(path, elsewhere)
    assert "cannot be reached" in refusal(path, "postgresql://tester@127.0.0.1:1/x")
    for wrong in ("mysql://host/name", "nonsense", "sqlite:///file.db"):
        assert refusal(path, wrong) == "database.url must be like postgresql://user@host/name"
    assert not path.exists()


def test_a_database_of_something_else(postgres: PostgresServer, url: str, path: Path) -> None:
    postgres.sql(name_of(url), "CREATE TABLE songs (title TEXT)")
    assert "not one of facerec's" in refusal(path, url)
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    assert postgres.sql(name_of(url), tables) == [("songs",)]


def test_a_database_of_a_newer_version(postgres: PostgresServer, url: str, path: Path) -> None:
    Gallery.open(path, url=url).close()
    postgres.sql(name_of(url), "UPDATE home SET schema_version = 999")
    assert "made by a newer facerec (schema 999" in refusal(path, url)


def test_a_database_of_an_older_version(postgres: PostgresServer, url: str, path: Path) -> None:
    """As it was before there was a journal, which is begun."""
    with Gallery.open(path, url=url) as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada")
        revision = gallery.revision
    for table in ("audit", "audit_head", "audit_key", "image"):
        postgres.sql(name_of(url), f"DROP TABLE {table}")
    postgres.sql(name_of(url), "DROP INDEX change_by_profile")
    postgres.sql(name_of(url), "UPDATE home SET schema_version = 2")
    with Gallery.open(path, url=url) as gallery:
        assert gallery.get("ada").name == "Ada"
        assert gallery.revision == revision
        gallery.life_cycle.erase("ada")
        kinds = [entry.event.kind.value for entry in gallery.journal.read()]
        assert kinds == ["home_upgraded", "profile_erased"]
        assert gallery.journal.verify().sound
    assert postgres.sql(name_of(url), "SELECT schema_version FROM home") == [
        (schema.SCHEMA_VERSION,)
    ]


def test_a_lost_key_and_a_changed_row(postgres: PostgresServer, url: str, path: Path) -> None:
    with Gallery.open(path, url=url) as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada")
    postgres.sql(name_of(url), "UPDATE template SET embedding = '\\x00'::bytea || embedding")
    with Gallery.open(path, url=url) as gallery:
        with pytest.raises(GalleryDamagedError, match=r"is damaged .*restore it from a backup"):
            gallery.search(unit(1), embedding_space=SPACE)
    (path.parent / "master.key").unlink()
    assert "master.key is missing" in refusal(path, url)


def test_a_server_that_is_restarted_is_found_again(own_server: PostgresServer, path: Path) -> None:
    with Gallery.open(path, url=own_server.new_database()) as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada")
        own_server.stop()
        with pytest.raises(GalleryError, match=r"cannot be reached|shutting down|lost"):
            gallery.enrol("Eve", [template(2)])
        with pytest.raises(GalleryError, match=r"cannot be reached|shutting down|lost"):
            gallery.search(unit(1), embedding_space=SPACE)
        own_server.start()
        assert gallery.search(unit(1), embedding_space=SPACE).profile_ids == ("ada",)
        gallery.enrol("Eve", [template(2)], profile_id="eve")
        assert [profile.profile_id for profile in gallery.list()] == ["ada", "eve"]
        assert gallery.journal.verify().sound


def test_writers_take_turns_and_readers_do_not_wait(url: str, path: Path) -> None:
    with Gallery.open(path, url=url) as one, Gallery.open(path, url=url) as other:

        def enrol(gallery: Gallery, name: str) -> None:
            for number in range(15):
                gallery.enrol(name, [template(number)])

        threads = [
            threading.Thread(target=enrol, args=(gallery, name))
            for name, gallery in (("a", one), ("b", other), ("c", one))
        ]
        for thread in threads:
            thread.start()
        with pytest.raises(InterruptedError), one._database.writing() as connection:
            connection.execute(text("UPDATE profile SET state = 'suspended'"))
            before = len(other.list())
            assert {profile.state.value for profile in other.list()} <= {"active"}
            assert len(other.list()) == before
            raise InterruptedError  # nothing of it is kept
        for thread in threads:
            thread.join()
        assert len(one.list()) == 45
        assert one.revision == other.revision == 46
        assert one.journal.verify().sound


def test_an_erased_person_is_in_no_table(postgres: PostgresServer, url: str, path: Path) -> None:
    with Gallery.open(path, url=url) as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada", consent="form 7")
        gallery.search(unit(1), embedding_space=SPACE)
        receipt = gallery.life_cycle.erase("ada")
        assert gallery.life_cycle.receipts() == (receipt,)
    for table in ("profile", "data_key", "template", "consent", "membership"):
        assert postgres.sql(name_of(url), f"SELECT count(*) FROM {table}") == [(0,)]
        # Vacuumed: no dead row is left in the table's file either.
        dead = postgres.sql(name_of(url), f"SELECT pg_relation_size('{table}')")
        assert dead == [(0,)], table


def name_of(url: str) -> str:
    return url.split("@/")[1].split("?")[0]
