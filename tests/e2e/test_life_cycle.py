"""Changing, exporting and erasing people, and the master key, as a user does."""

import base64
import json
import sqlite3
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from facerec.gallery.gallery import Gallery
from tests.e2e.conftest import Facerec
from tests.integration.gallery.test_gallery import SPACE, template, unit


@pytest.fixture(autouse=True)
def people(own_home: Path) -> None:
    """Ada, with a consent, and Charles."""
    with Gallery.open(own_home / "gallery.db") as gallery:
        gallery.enrol("Ada Lovelace", [template(1)], profile_id="ada", consent="form 7")
        gallery.enrol("Charles Babbage", [template(2)], profile_id="charles")


def test_update(facerec: Facerec) -> None:
    done = facerec(
        "profiles", "update", "ada", "--name", "Ada Byron", "--valid-until", "2030-01-31",
        "--attribute", "floor=3", "--external-id", "17", "--erase-unseen-days", "90", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    shown = facerec("profiles", "show", "ada", "--json").record
    assert {key: shown[key] for key in done.record} == done.record
    assert (shown["name"], shown["attributes"]) == ("Ada Byron", {"floor": "3"})
    assert shown["valid_until"] == "2030-01-31T00:00:00+00:00"
    assert (shown["external_id"], shown["erase_unseen_days"]) == ("17", 90)
    assert (shown["consent"], shown["state"]) == ("form 7", "active")
    done = facerec(
        "profiles", "update", "ada", "--valid-until", "never", "--attribute", "floor=",
        "--erase-unseen-days", "0", "--suspend", "--json",
    )  # fmt: skip
    assert (done.record["valid_until"], done.record["attributes"]) == (None, {})
    assert (done.record["erase_unseen_days"], done.record["state"]) == (None, "suspended")
    done = facerec("profiles", "update", "ada", "--activate", "--valid-from", "2130-01-31")
    assert done.out == "ada is changed and not yet valid\n"
    assert "not yet valid" in facerec("profiles", "list").out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nobody", "--name", "N"], 1, "no profile has the id 'nobody'"),
        (["ada", "--gallery", "ghosts"], 1, "no gallery is named 'ghosts'"),
        (["ada", "--valid-until", "tomorrow"], 2, "a time must be written as"),
        (["ada", "--attribute", "floor"], 2, "KEY=VALUE"),
        (["ada"], 2, "say what to change"),
        (["charles", "--withdraw-consent", "--name", "N"], 1, "no such consent that stands"),
        (["ada", "--valid-from", "2030-01-02", "--valid-until", "2030-01-01"], 1, "end after"),
    ],
)
def test_an_update_that_cannot_be_made(
    facerec: Facerec, arguments: list[str], code: int, message: str
) -> None:
    done = facerec("profiles", "update", *arguments)
    assert done.code == code
    assert message in " ".join(done.err.replace("│", " ").split())
    (*_, last) = facerec("audit", "list", "--json").records
    assert last["kind"] == "profile_enrolled"


def test_export_gives_everything_that_is_held(facerec: Facerec, tmp_path: Path) -> None:
    file = tmp_path / "ada.json"
    assert facerec("profiles", "export", "ada", "--output", file).code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    written, printed = json.loads(file.read_text()), facerec("profiles", "export", "ada").record
    assert written["name"] == printed["name"] == "Ada Lovelace"
    assert written["references"] == printed["references"]
    assert printed["consents"][0]["evidence"] == "form 7"
    (reference,) = printed["references"]
    embedding = np.frombuffer(base64.b64decode(reference["embedding_float32_base64"]), "<f4")
    assert np.array_equal(embedding, unit(1))
    assert reference["embedding_space"] == SPACE
    done = facerec("profiles", "export", "ada", "--output", file)
    assert (done.code, "name another" in done.err) == (1, True)


def test_erase_asks_and_leaves_a_receipt(facerec: Facerec, own_home: Path) -> None:
    """Afterwards no file under the home has a trace of the person, however it is written."""
    told = {"name": "Ada Lovelace", "external": "staff-4711", "floor": "attic", "form": "form 7"}
    facerec(
        *("profiles", "update", "ada", "--external-id", told["external"]),
        *("--attribute", f"floor={told['floor']}", "--name", told["name"]),
    )
    with Gallery.open(own_home / "gallery.db") as gallery:
        gallery.search(unit(1), embedding_space=SPACE)
        gallery.save_snapshot()
    sealed = sealed_of(own_home / "gallery.db", "ada")
    assert len(sealed) >= 5
    content = contents(own_home)
    assert all(any(value in each for each in content.values()) for value in sealed)

    assert facerec("profiles", "erase", "ada").code == 1  # nobody answers
    assert len(facerec("profiles", "list", "--json").record) == 2
    receipt = facerec("profiles", "erase", "ada", "--yes", "--json").record
    assert (receipt["profile_id"], receipt["templates"]) == ("ada", 1)
    assert len(receipt["evidence_sha256"]) == 64
    assert [p["profile_id"] for p in facerec("profiles", "list", "--json").record] == ["charles"]
    (kept,) = facerec("profiles", "receipts", "--json").record
    assert kept == {key: receipt[key] for key in kept}
    assert receipt["receipt_id"] in facerec("profiles", "receipts").out

    traces = list(sealed)
    for text in (*told.values(), "Lovelace"):
        traces += [text.encode(), text.encode("utf-16-le"), base64.b64encode(text.encode())]
    for dtype in ("<f4", ">f4", "<f2", "<f8"):
        traces.append(unit(1).astype(dtype).tobytes())
    traces.append(base64.b64encode(unit(1).tobytes()))
    for path, held in contents(own_home).items():
        assert not [trace for trace in traces if trace in held], path
    done = facerec("profiles", "erase", "ada", "--yes")
    assert (done.code, "no profile" in done.err) == (1, True)


def contents(home: Path) -> dict[Path, bytes]:
    """Return every file under a home but the networks."""
    files = (path for path in home.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if (home / "models") not in path.parents}


def sealed_of(database: Path, profile_id: str) -> list[bytes]:
    """Return all that is stored sealed of a person, from every table that refers to them."""
    connection = sqlite3.connect(database)
    (number,) = connection.execute(
        "SELECT number FROM profile WHERE profile_id = ?", [profile_id]
    ).fetchone()
    values = list(connection.execute("SELECT * FROM profile WHERE number = ?", [number]))
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        if "profile" in columns:
            values += connection.execute(f"SELECT * FROM {table} WHERE profile = ?", [number])
    connection.close()
    return [value for row in values for value in row if isinstance(value, bytes)]


def test_retention_erases_whose_time_is_up(facerec: Facerec) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert facerec("retention", "run").out == "nobody is due\n"
    facerec("profiles", "update", "ada", "--withdraw-consent")
    facerec("profiles", "update", "charles", "--erase-on", yesterday)
    expected = [("ada", "consent_withdrawn"), ("charles", "retention_date")]
    dry = facerec("retention", "run", "--dry-run", "--json").records
    assert [(r["profile_id"], r["reason"]) for r in dry] == expected
    assert len(facerec("profiles", "list", "--json").record) == 2
    done = facerec("retention", "run", "--json").records
    assert [(r["profile_id"], r["reason"]) for r in done] == expected
    assert all(len(r["receipt_id"]) == 32 for r in done)
    assert facerec("profiles", "list", "--json").record == []


def test_the_master_key(facerec: Facerec, own_home: Path) -> None:
    before = facerec("keys", "show", "--json").record["master_key_id"]
    assert f"Backups made before open with {before} alone" in facerec("keys", "rotate").out
    done = facerec("keys", "rotate", "--json").record
    assert done["profiles"] == 2
    assert facerec("keys", "show", "--json").record["master_key_id"] != before
    assert facerec("profiles", "show", "ada", "--json").record["name"] == "Ada Lovelace"
    (own_home / "master.key").unlink()
    done = facerec("profiles", "list")
    assert done.code == 1
    assert "master.key is missing; put it back" in done.err


def test_the_master_key_from_settings(
    facerec: Facerec, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "kept" / "key"
    moved.parent.mkdir()
    (own_home / "master.key").rename(moved)
    monkeypatch.setenv("FACEREC_ENCRYPTION__MASTER_KEY_FILE", str(moved))
    assert len(facerec("profiles", "list", "--json").record) == 2
    monkeypatch.setenv("FACEREC_ENCRYPTION__MASTER_KEY", "11" * 32)
    done = facerec("profiles", "list")
    assert (done.code, "give one of master_key_file" in done.err) == (1, True)
    monkeypatch.delenv("FACEREC_ENCRYPTION__MASTER_KEY_FILE")
    done = facerec("profiles", "list")
    assert (done.code, "is not the one that opens" in done.err) == (1, True)
    assert "11" * 32 not in done.err
    monkeypatch.delenv("FACEREC_ENCRYPTION__MASTER_KEY")
    monkeypatch.setenv("FACEREC_ENCRYPTION__MASTER_KEY_COMMAND", f"cat {moved}")
    assert len(facerec("profiles", "list", "--json").record) == 2
