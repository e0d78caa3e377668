"""Encryption at rest on real files: nothing in the clear, and refusals that say what is wrong."""

import os
import shlex
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from facerec.errors import GalleryDamagedError, MasterKeyError
from facerec.gallery.encryption.master_key import KeyCommand, KeyFile, KeyText
from facerec.gallery.gallery import Gallery
from tests.integration.gallery.test_gallery import SPACE, template, unit

FIRST, SECOND = "11" * 32, "22" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A gallery of two people, closed."""
    file = tmp_path / "home" / "gallery.db"
    with Gallery.open(file) as gallery:
        gallery.enrol(
            "Ada Lovelace",
            [template(1, content="c0ffee" * 10)],
            profile_id="a",
            consent="form 4711",
            external_id="staff-0815",
            attributes={"department": "engines"},
        )
        gallery.enrol("Charles Babbage", [template(2)], profile_id="b")
    return file


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sql(path: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def use(path: Path) -> None:
    with Gallery.open(path) as gallery:
        gallery.list()
        gallery.templates("a")
        gallery.search(unit(1), embedding_space=SPACE)


def test_nothing_that_tells_of_a_person_is_in_the_clear(path: Path) -> None:
    with Gallery.open(path) as gallery:
        assert gallery.get("a").attributes == {"department": "engines"}
        assert gallery.get("a").external_id == "staff-0815"
        assert gallery.get("a").consent == "form 4711"
        secrets = [
            b"Lovelace",
            b"form 4711",
            b"staff-0815",
            b"engines",
            b"picture 1",
            b"c0ffeec0ffee",
        ]
        secrets += [unit(n).tobytes()[start : start + 8] for n in (1, 2) for start in (0, 24)]
        for name, content in contents(path.parent).items():
            for secret in secrets:
                assert secret not in content, (name, secret)


def test_the_master_key_is_made_for_its_owner_alone(path: Path) -> None:
    key = path.parent / "master.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o640)
    with pytest.raises(MasterKeyError, match=f"chmod 600 {key}"):
        use(path)


def test_a_home_without_its_key_is_refused_and_gets_no_new_one(path: Path) -> None:
    key = path.parent / "master.key"
    kept = key.read_text()
    key.unlink()
    with pytest.raises(MasterKeyError, match=f"{key} is missing; put it back"):
        use(path)
    assert not key.exists()
    key.write_text(kept)
    key.chmod(0o600)
    use(path)


def test_another_key_is_refused(path: Path) -> None:
    with pytest.raises(MasterKeyError, match="is not the one that opens this gallery"):
        Gallery.open(path, KeyText(FIRST, "FACEREC_ENCRYPTION__MASTER_KEY"))


@pytest.mark.parametrize("text", ["", "rubbish", "ab" * 31])
def test_a_key_file_that_holds_no_key_is_refused(path: Path, text: str) -> None:
    (path.parent / "master.key").write_text(text)
    with pytest.raises(MasterKeyError, match="64 hexadecimal digits"):
        use(path)


def test_keys_from_the_environment_and_from_a_command(tmp_path: Path) -> None:
    path = tmp_path / "gallery.db"
    command = shlex.join([sys.executable, "-c", f"print('{FIRST}')"])
    with Gallery.open(path, KeyText(FIRST, "X")) as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="a")
    with Gallery.open(path, KeyCommand(command)) as gallery:
        assert gallery.get("a").name == "Ada"
    assert not (tmp_path / "master.key").exists()
    with pytest.raises(MasterKeyError, match="exit code 3"):
        Gallery.open(path, KeyCommand(shlex.join([sys.executable, "-c", "exit(3)"])))
    for bad in ("/nowhere/kms", "'", ""):
        with pytest.raises(MasterKeyError, match="could not be run"):
            Gallery.open(path, KeyCommand(bad))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE template SET embedding = (SELECT embedding FROM template WHERE number = 2)",
        "UPDATE template SET details = (SELECT details FROM template WHERE number = 2)",
        "UPDATE template SET embedding_space = 'sface-2'",
        "UPDATE template SET embedding = zeroblob(length(embedding))",
        "UPDATE template SET profile = 1",
        "UPDATE profile SET details = (SELECT details FROM profile WHERE number = 2)",
        "UPDATE profile SET profile_id = 'z' || profile_id",
        "UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE profile = 2)",
        "UPDATE data_key SET wrapped = substr(wrapped, 2)",
        "DELETE FROM data_key WHERE profile = 1",
        "UPDATE home SET tag_key = (SELECT wrapped FROM data_key WHERE profile = 2)",
        "UPDATE home SET home_id = 'another'",
    ],
)
def test_a_row_that_was_tampered_with_is_refused(path: Path, change: str) -> None:
    sql(path, change)
    with pytest.raises(GalleryDamagedError, match=f"{path} is damaged"):
        with Gallery.open(path) as gallery:
            for profile in gallery.list():
                gallery.templates(profile.profile_id)
            gallery.search(unit(1), embedding_space="sface-1")
            gallery.search(unit(1), embedding_space="sface-2")


def test_a_new_master_key_leaves_the_data_as_it_is(path: Path) -> None:
    """Only keys are wrapped again; the old master key then opens nothing."""
    key = path.parent / "master.key"
    old_file, old_id = key.read_text(), None
    columns = "SELECT embedding, details FROM template ORDER BY number"
    before = sqlite3.connect(path).execute(columns).fetchall()
    with Gallery.open(path) as gallery, Gallery.open(path) as running:
        old_id = gallery.master_key_id
        assert gallery.rotate_master_key() == 2
        assert gallery.master_key_id != old_id
        assert gallery.get("a").name == "Ada Lovelace"
        gallery.enrol("New", [template(3)], profile_id="c")
        # A process that was running all the while goes on.
        assert running.get("a").name == "Ada Lovelace"
        assert running.search(unit(3), embedding_space=SPACE).profile_ids[0] == "c"
        running.enrol("Newer", [template(4)], profile_id="d")
    assert sqlite3.connect(path).execute(columns).fetchall()[:2] == before
    assert old_file.split()[-1] not in key.read_text()
    with Gallery.open(path) as gallery:
        assert [p.profile_id for p in gallery.list()] == ["a", "b", "c", "d"]
        assert gallery.enrolled_content("Ada Lovelace") == {"a": frozenset({"c0ffee" * 10})}
    key.write_text(old_file)
    with pytest.raises(MasterKeyError, match="not the one that opens"):
        use(path)


def test_a_rotation_that_was_cut_off_is_finished_by_the_next(path: Path) -> None:
    """Killed after the new key was written, the file has both, and either state opens."""
    key = KeyFile(path.parent / "master.key")
    old = key.load().current_id
    both = key.begin_rotation(old)
    use(path)
    with Gallery.open(path) as gallery:
        gallery.rotate_master_key()
        assert gallery.master_key_id == both.current_id
    assert len(key.load().keys) == 1
    use(path)


def test_rotation_to_keys_that_somebody_else_keeps(tmp_path: Path) -> None:
    path = tmp_path / "gallery.db"
    with Gallery.open(path, KeyText(FIRST, "VARIABLE")) as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="a")
        with pytest.raises(MasterKeyError, match="VARIABLE still gives the present master key"):
            gallery.rotate_master_key()
    with Gallery.open(path, KeyText(f"{SECOND} {FIRST}", "VARIABLE")) as gallery:
        gallery.rotate_master_key()
    with Gallery.open(path, KeyText(SECOND, "VARIABLE")) as gallery:
        assert gallery.get("a").name == "Ada"
    with pytest.raises(MasterKeyError):
        Gallery.open(path, KeyText(FIRST, "VARIABLE"))


def test_two_processes_that_make_one_home_agree_on_its_key(tmp_path: Path) -> None:
    key = KeyFile(tmp_path / "master.key")
    pids = []
    for _ in range(4):
        pid = os.fork()
        if not pid:
            key.load_or_make()
            os._exit(0)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
    assert len(key.load().keys) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["master.key"]
