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
    assert [e["number"] for e in entries(facerec, "--client", "operator")] == [4, 5]
    kinds = ("--kind", "profile_updated", "--kind", "home_created")
    assert [e["number"] for e in entries(facerec, *kinds)] == [1, 4]
    assert [e["number"] for e in entries(facerec, "--limit", "2")] == [4, 5]
    assert entries(facerec, "--until", "2020-01-01") == []
    shown = facerec("audit", "list").out
    assert "profile_erased" in shown and "Lovelace" not in shown


def test_mistakes_are_told_in_a_line(facerec: Facerec) -> None:
    for arguments, message in (
        (("audit", "list", "--kind", "nonsense"), "no entry is of the kind 'nonsense'; there are"),
        (("audit", "list", "--profile", "nobody"), "no profile has the id 'nobody'"),
        (("audit", "verify", "--heads", "nothing"), "cannot be read as signed heads"),
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
    done = facerec("restore", str(file), "--home", str(new))
    assert "erase anew whoever was erased after the backup" in " ".join(done.err.split())
    assert len(facerec("profiles", "list", "--json", "--home", str(new)).record) == 2
