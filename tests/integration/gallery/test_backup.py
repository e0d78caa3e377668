"""Backups of galleries in use, and restoring them: whole, checked, and without who was erased."""

import multiprocessing
import os
import shutil
import sqlite3
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facerec.errors import BackupError, GalleryDamagedError, GalleryError, MasterKeyError
from facerec.gallery.audit.event import Actor, AuditEvent, AuditKind
from facerec.gallery.backup.backing_up import back_up
from facerec.gallery.backup.restoring import Restored, restore
from facerec.gallery.encryption.master_key import KeyFile, KeySource, KeyText
from facerec.gallery.gallery import Gallery
from facerec.gallery.life_cycle import ProfileChange
from facerec.gallery.profile import ProfileState
from facerec.gallery.storage.backend import Backend
from facerec.gallery.storage.choosing_backend import backend_of
from facerec.gallery.storage.scratch_folder import scratch_folder
from facerec.gallery.times import utc_now
from tests.integration.gallery.conftest import Opener
from tests.integration.gallery.test_gallery import SPACE, template, unit

EVE = Actor("operator:eve")


def save(gallery: Gallery, file: Path) -> None:
    back_up(gallery.database, file, {}, utc_now())


def put_back(file: Path, gallery: Gallery | Path, keys: KeySource | None = None) -> Restored:
    """Restore into the place of an open gallery, or into a file."""
    backend: Backend = (
        backend_of(gallery, "") if isinstance(gallery, Path) else gallery.database.backend
    )
    return restore(file, backend, keys or KeyFile(backend.folder / "master.key"), EVE, utc_now)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "monday.backup"


def content(gallery: Gallery) -> list[tuple[object, ...]]:
    """Return all that matters of everybody."""
    return [
        (profile, tuple(t.embedding.tobytes() for t in gallery.templates(profile.profile_id)))
        for profile in gallery.list()
    ]


def found(gallery: Gallery, seed: int) -> tuple[str, ...]:
    return gallery.search(unit(seed), embedding_space=SPACE, k=9).profile_ids


def test_a_home_goes_back_to_its_backup_while_others_have_it_open(
    open_home: Opener, file: Path
) -> None:
    with open_home() as gallery, open_home() as running:
        gallery.create_gallery("staff")
        gallery.enrol("Ada", [template(1), template(2)], profile_id="ada", consent="form 7")
        gallery.enrol("Bob", [template(3)], profile_id="bob", galleries=["staff", "default"])
        before, entries = content(gallery), gallery.journal.last_number
        assert found(running, 3)[0] == "bob"
        save(gallery, file)
        gallery.enrol("Cyd", [template(4)], profile_id="cyd")
        gallery.life_cycle.update("ada", ProfileChange(name="Somebody"))
        gallery.add_templates("bob", [template(9)])
        assert found(running, 4)[0] == "cyd"
        revision = gallery.revision
        restored = put_back(file, gallery)
        assert (restored.profiles, restored.erased_again, restored.kept_journal) == (2, 0, True)
        for opened in (gallery, running):
            assert content(opened) == before
            assert sorted(found(opened, 4)) == ["ada", "bob"]
            assert opened.revision == revision + 1
        # The journal goes on: what was done since the backup is in it still.
        after = gallery.journal.read(after=entries)
        assert [entry.event.kind.value for entry in after] == [
            *("profile_enrolled", "profile_updated", "templates_added", "restored")
        ]
        assert after[-1].actor == "operator:eve"
        # Numbers go on above those that were given before.
        gallery.enrol("Dan", [template(5)], profile_id="dan")
        assert found(running, 5)[0] == "dan"
        assert gallery.journal.verify().sound


def test_who_was_erased_since_stays_erased(open_home: Opener, file: Path) -> None:
    with open_home() as gallery:
        for name in ("ada", "bob", "cyd"):
            gallery.enrol(name, [template(len(name))], profile_id=name)
        gallery.life_cycle.erase("cyd")
        gallery.enrol("cyd", [template(8)], profile_id="cyd")  # again, before the backup
        save(gallery, file)
        receipt = gallery.life_cycle.erase("bob")
        restored = put_back(file, gallery)
        assert (restored.profiles, restored.erased_again) == (2, 1)
        assert [profile.profile_id for profile in gallery.list()] == ["ada", "cyd"]
        assert gallery.life_cycle.receipt_of("bob") == receipt
        assert len(gallery.life_cycle.receipts()) == 2
        assert gallery.journal.verify().sound


def test_a_lost_home_comes_back_with_its_key_alone(tmp_path: Path, file: Path) -> None:
    path, other = tmp_path / "home" / "gallery.db", tmp_path / "new" / "gallery.db"
    with Gallery.open(path) as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada")
        gallery.life_cycle.erase("ada")
        gallery.enrol("Bob", [template(2)], profile_id="bob")
        before, head = content(gallery), gallery.journal.head()
        save(gallery, file)
    with pytest.raises(MasterKeyError, match="is missing; put it back"):
        put_back(file, other)
    assert not other.exists() and not (other.parent / "master.key").exists()
    (other.parent / "master.key").write_text("00" * 32)
    (other.parent / "master.key").chmod(0o600)
    with pytest.raises(MasterKeyError, match="give that one too, on the line after it"):
        put_back(file, other)
    shutil.copy(path.parent / "master.key", other.parent)
    assert put_back(file, other).kept_journal is False
    with Gallery.open(other) as gallery:
        assert content(gallery) == before
        assert found(gallery, 2) == ("bob",)
        assert len(gallery.life_cycle.receipts()) == 1
        assert head is not None
        assert gallery.journal.verify([head]).sound
        assert gallery.journal.read()[-1].event.kind is AuditKind.RESTORED
        gallery.rotate_master_key()
        assert content(gallery) == before


def test_a_damaged_home_is_set_aside(tmp_path: Path, file: Path) -> None:
    path = tmp_path / "home" / "gallery.db"
    with Gallery.open(path) as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada")
        save(gallery, file)
    damaged = path.read_bytes()[:20_000]
    path.write_bytes(damaged)
    restored = put_back(file, path)
    assert restored.set_aside is not None
    assert restored.set_aside.read_bytes()[-1000:] == damaged[-1000:]
    with Gallery.open(path) as gallery:
        assert found(gallery, 1) == ("ada",)


def test_a_backup_of_another_home_replaces_nobody(tmp_path: Path, file: Path) -> None:
    key = KeyText("11" * 32, "X")
    with Gallery.open(tmp_path / "one" / "gallery.db", key) as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada")
        save(gallery, file)
    with Gallery.open(tmp_path / "two" / "gallery.db", key) as gallery:
        gallery.enrol("Bob", [template(2)], profile_id="bob")
        before = content(gallery)
        with pytest.raises(BackupError, match="of another home"):
            put_back(file, gallery, key)
        assert content(gallery) == before


def test_a_backup_moves_from_one_system_to_the_other(
    open_home: Opener, tmp_path: Path, file: Path
) -> None:
    with open_home() as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada", consent="form 7")
        before = content(gallery)
        save(gallery, file)
        key = gallery.database.backend.folder / "master.key"
        (tmp_path / "file").mkdir()
        shutil.copy(key, tmp_path / "file")
    put_back(file, tmp_path / "file" / "gallery.db")
    with Gallery.open(tmp_path / "file" / "gallery.db") as gallery:
        assert content(gallery) == before


def flip(file: Path, where: float) -> None:
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.seek(int(size * where))
        byte = opened.read(1)
        opened.seek(int(size * where))
        opened.write(bytes([byte[0] ^ 0x55]))


DAMAGES: list[Callable[[Path], None]] = [
    lambda file: os.truncate(file, 0),
    lambda file: os.truncate(file, file.stat().st_size // 2),
    lambda file: os.truncate(file, file.stat().st_size - 30),
    lambda file: file.write_bytes(b"holiday.jpg" * 500),
    lambda file: swap_member(file, b"not a database"),
    lambda file: swap_member(file, None),
]


def swap_member(file: Path, database: bytes | None) -> None:
    """Put something else in place of the tables, with a hash that fits."""
    import hashlib
    import json

    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    manifest["members"] = {}
    with zipfile.ZipFile(file, "w") as archive:
        if database is not None:
            manifest["members"] = {"gallery.db": hashlib.sha256(database).hexdigest()}
            archive.writestr("gallery.db", database)
        archive.writestr("manifest.json", json.dumps(manifest))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_replaces_nothing(
    tmp_path: Path, file: Path, damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "home" / "gallery.db"
    with Gallery.open(path) as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada")
        save(gallery, file)
        gallery.enrol("Bob", [template(2)], profile_id="bob")
        damage(file)
        before, revision = content(gallery), gallery.revision
        with pytest.raises((BackupError, GalleryDamagedError)) as caught:
            put_back(file, gallery)
        assert "\n" not in str(caught.value)
        assert (content(gallery), gallery.revision) == (before, revision)
    assert not list(path.parent.glob(".restore-*"))


def test_a_flipped_byte_is_refused_or_of_no_account(tmp_path: Path, file: Path) -> None:
    """Some bytes of an archive say nothing, such as a member's date: what is restored is right."""
    with Gallery.open(tmp_path / "home" / "gallery.db") as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada")
        before = content(gallery)
        save(gallery, file)
        whole, refused = file.read_bytes(), 0
        for place in range(1, 20):
            gallery.set_state("ada", ProfileState.SUSPENDED)
            suspended = content(gallery)
            file.write_bytes(whole)
            flip(file, place / 20)
            try:
                put_back(file, gallery)
            except BackupError:
                refused += 1
                assert content(gallery) == suspended
            else:
                assert content(gallery) == before
        assert refused > 10


def test_a_member_outside_the_folder_is_refused(tmp_path: Path, file: Path) -> None:
    import hashlib
    import json

    path = tmp_path / "home" / "gallery.db"
    with Gallery.open(path) as gallery:
        save(gallery, file)
        with zipfile.ZipFile(file) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            database = archive.read("gallery.db")
        manifest["members"]["../evil"] = hashlib.sha256(b"x").hexdigest()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("gallery.db", database)
            archive.writestr("../evil", b"x")
            archive.writestr("manifest.json", json.dumps(manifest))
        with pytest.raises(BackupError):
            put_back(file, gallery)
    assert not (path.parent / "evil").exists() and not (tmp_path / "evil").exists()


def test_a_backup_with_a_tampered_journal_is_refused(tmp_path: Path, file: Path) -> None:
    path = tmp_path / "home" / "gallery.db"
    with Gallery.open(path) as gallery:
        gallery.record_now(AuditEvent(AuditKind.IDENTIFIED), AuditEvent(AuditKind.IDENTIFIED))
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE audit SET outcome = 'match' WHERE number = 2")
    raw.close()
    with Gallery.open(path) as gallery:
        save(gallery, file)
        with pytest.raises(BackupError, match="entry 2 was changed"):
            put_back(file, gallery)


def test_after_a_rotation_an_old_backup_needs_the_old_key_and_leaves_the_new_in_use(
    tmp_path: Path, file: Path
) -> None:
    path = tmp_path / "home" / "gallery.db"
    key = path.parent / "master.key"
    with Gallery.open(path) as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada")
        before = content(gallery)
        save(gallery, file)
        old = key.read_text()
        gallery.rotate_master_key()
        with pytest.raises(MasterKeyError, match="give that one too, on the line after it"):
            put_back(file, gallery)
        new = key.read_text()
        key.write_text(new + old)
        put_back(file, gallery)
        key.write_text(new)
        assert content(gallery) == before
    with Gallery.open(path) as gallery:
        assert content(gallery) == before
        assert gallery.journal.verify().sound


def test_a_backup_made_while_others_write_is_of_one_instant(
    open_home: Opener, tmp_path: Path
) -> None:
    """Every person enrolled with two templates, one at a time: no backup holds half of one."""
    with open_home() as gallery, open_home() as writer:
        stop = threading.Event()

        def write() -> None:
            number = 0
            while not stop.is_set():
                writer.enrol("N", [template(number), template(number + 1)])
                number += 2

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for number in range(4):
                save(gallery, tmp_path / f"{number}.backup")
        finally:
            stop.set()
            thread.join()
        people = len(gallery.list())
        for number in range(4):
            put_back(tmp_path / f"{number}.backup", gallery)
            held = gallery.list()
            assert len(held) <= people
            assert {profile.templates for profile in held} <= {2}
        assert gallery.journal.verify().sound


def test_a_backup_holds_no_key_name_or_template_in_the_clear(tmp_path: Path, file: Path) -> None:
    path = tmp_path / "home" / "gallery.db"
    with Gallery.open(path) as gallery:
        gallery.enrol("Ada Lovelace", [template(1)], profile_id="p", consent="form 4711")
        save(gallery, file)
    assert file.stat().st_mode & 0o777 == 0o600
    key = bytes.fromhex((path.parent / "master.key").read_text().splitlines()[-1])
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert set(members) == {"manifest.json", "gallery.db"}
    for content in members.values():
        for secret in (b"Lovelace", b"form 4711", unit(1).tobytes(), key, key.hex().encode()):
            assert secret not in content


def restore_there(file: Path, path: Path) -> None:
    put_back(file, path)


def test_a_restore_that_is_killed_leaves_the_old_or_the_new(tmp_path: Path, file: Path) -> None:
    path = tmp_path / "home" / "gallery.db"
    with Gallery.open(path) as gallery:
        for number in range(20):
            gallery.enrol("N", [template(number)])
        backed_up = content(gallery)
        save(gallery, file)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    rng = np.random.default_rng(5)
    for number in range(8):
        with Gallery.open(path) as gallery:
            gallery.enrol("late", [template(100 + number)])
            before, entries = content(gallery), gallery.journal.last_number
        process = context.Process(target=restore_there, args=(file, path))
        process.start()
        time.sleep(float(rng.uniform(0, 0.6)))
        process.kill()
        process.join()
        with Gallery.open(path) as gallery:
            after = content(gallery)
            assert after in (before, backed_up)
            # Restored and entered, or neither.
            assert (gallery.journal.last_number > entries) == (after == backed_up)
            assert gallery.journal.verify().sound
            assert set(found(gallery, 0)) <= {profile.profile_id for profile in gallery.list()}
    put_back(file, path)
    with Gallery.open(path) as gallery:
        assert content(gallery) == backed_up


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with Gallery.open(tmp_path / "home" / "gallery.db") as gallery:
        with pytest.raises(GalleryError, match="cannot be written: No such file"):
            save(gallery, tmp_path / "nowhere" / "x.backup")


def work_for_ever(beside: Path) -> None:
    with scratch_folder(beside) as folder:
        (folder / "gallery.db").write_text("Ada")
        time.sleep(600)


def test_what_a_killed_restore_left_behind_goes_with_whoever_is_erased(tmp_path: Path) -> None:
    """Such a folder holds a copy of the database, with the keys of everybody in it."""
    home = tmp_path / "home"
    context = multiprocessing.get_context("forkserver")
    with Gallery.open(home / "gallery.db") as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada")
        killed, working = (context.Process(target=work_for_ever, args=(home,)) for _ in "ab")
        killed.start()
        while not (first := [*home.glob(".*/gallery.db")]):
            time.sleep(0.01)
        working.start()
        while len(both := [*home.glob(".*/gallery.db")]) < 2:
            time.sleep(0.01)
        killed.kill()
        killed.join()
        gallery.life_cycle.erase("ada")
        left = [*home.glob(".*/gallery.db")]
        working.kill()
        working.join()
    assert set(left) == set(both) - set(first)  # not the one that somebody works in
    assert [*home.glob(".*")]
    with scratch_folder(home) as own:
        assert [*home.glob(".*")] == [own]
    assert not [*home.glob(".*")]


def test_a_backup_deletes_what_a_killed_one_left_beside_it(tmp_path: Path, file: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    killed = context.Process(target=work_for_ever, args=(tmp_path,))
    killed.start()
    while not [*tmp_path.glob(".*/gallery.db")]:
        time.sleep(0.01)
    killed.kill()
    killed.join()
    with Gallery.open(tmp_path / "home" / "gallery.db") as gallery:
        save(gallery, file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", file.name]
    assert file.stat().st_mode & 0o777 == 0o600
