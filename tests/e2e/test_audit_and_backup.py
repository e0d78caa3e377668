"""The journal, backups and restoring, as an auditor and an operator type them."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from facerec.gallery.gallery import Gallery
from tests.e2e.conftest import Facerec
from tests.integration.gallery.test_gallery import template


@pytest.fixture(autouse=True)
def people(own_home: Path) -> None:
    with Gallery.open(own_home / "gallery.db") as gallery:
        gallery.enrol("Ada Lovelace", [template(1)], profile_id="ada")
        gallery.enrol("Charles Babbage", [template(2)], profile_id="charles")


def entries(facerec: Facerec, *options: str) -> list[dict[str, object]]:
    done = facerec("audit", "list", "--json", *options)
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def test_list_shows_who_did_what_to_whom(facerec: Facerec) -> None:
    assert facerec("profiles", "update", "ada", "--suspend").code == 0
    assert facerec("profiles", "erase", "charles", "--yes").code == 0
    found = entries(facerec)
    assert [entry["kind"] for entry in found] == [
        *("home_created", "profile_enrolled", "profile_enrolled", "profile_updated"),
        "profile_erased",
    ]
    assert [entry["profile_id"] for entry in found] == [None, "ada", None, "ada", None]
    assert found[2]["pseudonym"] and not found[4]["pseudonym"]
    assert str(found[3]["actor"]).startswith("operator:")
    assert found[3]["outcome"] == "suspended"
    assert [e["number"] for e in entries(facerec, "--profile", "ada")] == [2, 4]
    shown = facerec(
        "audit", "list", "--client", "operator", "--kind", "profile_erased", "--limit", "1",
        "--since", "2020-01-01",
    ).out  # fmt: skip
    _, line = shown.splitlines()
    assert line.split()[0] == "5" and "profile_erased" in line and "receipt" in line


def test_mistakes_are_told_in_a_line(facerec: Facerec) -> None:
    for arguments, message in (
        (("audit", "list", "--kind", "nonsense"), "no entry is of the kind 'nonsense'; there are"),
        (("audit", "verify", "--heads", __file__), "cannot be read as signed heads"),
        (("audit", "verify", "--heads", "nothing"), "cannot be read: No such file or directory"),
        (("audit", "list", "--since", "yesterday"), "a time must be written as 2030-01-31"),
        (("backup", "/nowhere/x"), "cannot be written: No such file or directory"),
        (("restore", "/nowhere/x"), "cannot be read or unpacked: No such file or directory"),
    ):
        done = facerec(*arguments)
        assert done.code == 1
        assert message in done.err
        assert "Traceback" not in done.err


def test_verify_names_a_changed_entry(facerec: Facerec, own_home: Path, tmp_path: Path) -> None:
    head = facerec("audit", "head", "--json")
    kept = tmp_path / "heads"
    kept.write_text(head.out)
    sound = facerec("audit", "verify", "--heads", str(kept))
    assert (sound.code, sound.out.startswith("sound: 3 entries")) == (0, True)
    with sqlite3.connect(own_home / "gallery.db") as raw:
        raw.execute("UPDATE audit SET actor = 'operator:eve' WHERE number = 2")
    raw.close()
    done = facerec("audit", "verify")
    assert done.code == 1
    assert "changed: entry 2 was changed" in done.out
    record = facerec("audit", "verify", "--json").record
    assert record["sound"] is False
    assert record["faults"][0]["first"] == 2


def test_backup_and_restore(facerec: Facerec, own_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "monday.backup"
    points = own_home / "operating-points"
    points.mkdir(exist_ok=True)
    (points / "ours.json").write_text("{}")
    done = facerec("backup", str(file), "--json")
    assert done.code == 0, done.err
    assert (done.record["profiles"], done.record["templates"]) == (2, 2)
    assert facerec("profiles", "erase", "ada", "--yes").code == 0
    assert facerec("profiles", "update", "charles", "--name", "Somebody").code == 0
    (points / "ours.json").unlink()
    done = facerec("restore", str(file), "--json")
    assert done.code == 0, done.err
    assert (done.record["profiles"], done.record["erased_again"]) == (1, 1)
    (left,) = facerec("profiles", "list", "--json").record
    assert (left["profile_id"], left["name"]) == ("charles", "Charles Babbage")
    assert (points / "ours.json").read_text() == "{}"
    assert facerec("audit", "verify").code == 0
    # Into another folder, with the key alone.
    new = tmp_path / "new"
    new.mkdir()
    shutil.copy(own_home / "master.key", new)
    done = facerec("restore", file, home=new)
    assert "erase anew whoever was erased after the backup" in " ".join(done.err.split())
    assert len(facerec("profiles", "list", "--json", home=new).record) == 2


def test_the_journal_does_not_say_that_what_failed_was_done(
    facerec: Facerec, own_home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "taken"
    file.mkdir()
    for failed in (("backup", file), ("profiles", "export", "ada", "--output", file)):
        assert facerec(*failed).code == 1
    assert facerec("backup", tmp_path / "monday.backup").code == 0
    assert facerec("profiles", "export", "ada").code == 0
    with Gallery.open(own_home / "gallery.db") as gallery:
        events = [entry.event for entry in gallery.journal.read(after=3)]
    assert [(event.kind.value, event.outcome) for event in events] == [
        ("backed_up", "done"),
        ("backed_up", "failed"),
        ("backed_up", "done"),
        ("profile_exported", "done"),
    ]


def test_what_is_changed_beside_the_gallery_is_entered(facerec: Facerec, own_home: Path) -> None:
    token = facerec("tokens", "issue", "lobby", "--role", "gate", "--gate", "main", "--json").record
    assert facerec("tokens", "revoke", token["token_id"]).code == 0
    assert facerec("pki", "init").code == 0
    assert facerec("pki", "issue", "north", "--role", "gate", "--gate", "main").code == 0
    assert facerec("pki", "revoke", own_home / "pki" / "north.crt").code == 0
    assert facerec("operating-points", "use", "factory").code == 0
    with Gallery.open(own_home / "gallery.db") as gallery:
        found = gallery.journal.read(after=3)
    assert [entry.event.kind.value for entry in found] == [
        *("token_issued", "token_revoked", "certificate_issued", "certificate_revoked"),
        "operating_point_set",
    ]
    issued, revoked, certified, refused, chosen = (entry.event for entry in found)
    assert issued.note == f"token {token['token_id']} for lobby: gate"
    assert (issued.place, certified.place) == ("main", "main")
    assert token["token_id"] in revoked.note and token["token"] not in issued.note
    assert (certified.note, refused.note) == ("north: gate", "north.crt")
    assert chosen.operating_point == "factory"
