"""Enrolling a table of people: checks, reports, and going on after a crash."""

import base64
import csv
import json
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.e2e.conftest import COMMAND, Facerec

Pictures = dict[str, Path]
COLUMNS = ("external_id", "name", "images", "galleries", "valid_until", "attribute.floor")


def write_table(path: Path, *rows: Sequence[str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


@pytest.fixture
def photos(pictures: Pictures, tmp_path: Path) -> Path:
    """A folder with the demo's photographs, one that is poor, and one of two people."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for key, path in pictures.items():
        cv2.imwrite(str(folder / f"{key}.png"), cv2.imread(str(path)))
    size = (500, 500)
    two = [cv2.resize(cv2.imread(str(pictures[k])), size) for k in ("obama-2012", "biden-2010")]
    cv2.imwrite(str(folder / "two.png"), np.hstack(two))
    cv2.imwrite(str(folder / "blurred.png"), cv2.GaussianBlur(two[0], (0, 0), 12))
    with (folder / "huge.png").open("wb") as file:
        file.truncate(2**42)  # nobody may read all of it, be it only to know it again
    return folder


def test_a_table_is_enrolled_and_every_failure_reported(
    facerec: Facerec, photos: Path, tmp_path: Path
) -> None:
    table = write_table(
        photos / "people.csv",
        ("1", "Barack Obama", "obama-2012.png|obama-2010.png", "", "2100-01-01", "3"),
        (
            "2",
            "Eileen Collins",
            "collins.png|blurred.png|two.png|gone.png|huge.png",
            "staff",
            "",
            "",
        ),
        ("3", "B. Hussein", "obama-2009.png", "", "", ""),
        ("4", "Nobody", "two.png", "", "", ""),
        ("5", "Joe Biden", "biden-2010.png", "ghosts", "", ""),
        ("1", "Joe Biden", "biden-2010.png", "", "", ""),
        ("6", "Eileen Collins", "obama-2012.png|biden-2010.png", "", "", ""),
        ("7", "Joe Biden", "biden-2010.png", "", "soon", ""),
    )
    enrol = ("enroll", "--from", table, "--json")
    report = tmp_path / "report.csv"
    done = facerec(*enrol, "--report", report)
    assert done.code == 1
    assert [r["profile_id"] is not None for r in done.records] == [True] + [False] * 7
    shown = facerec("profiles", "show", done.records[0]["profile_id"], "--json").record
    assert (shown["external_id"], shown["attributes"]) == ("1", {"floor": "3"})
    assert (shown["templates"], shown["valid_until"]) == (2, "2100-01-01T00:00:00+00:00")

    double = done.records[2]
    assert double["refusal"] == "already_enrolled"
    assert double["doubles"][0]["profile_id"] == done.records[0]["profile_id"]
    assert done.records[6]["refusal"] == "pictures_disagree"
    assert "no gallery is named 'staff'" in done.records[1]["problem"]
    assert "same person already enrolled as" in done.err
    with report.open(newline="", encoding="utf-8") as file:
        entries = list(csv.DictReader(file))
    failed = {(e["line"], e["external_id"]) for e in entries if e["kind"] == "failed"}
    assert failed == {(str(i), x) for i, x in zip(range(3, 10), "2345167", strict=True)}
    assert report.stat().st_mode & 0o777 == 0o600

    # With the galleries made the second line is enrolled; what is poor is named.
    again = facerec(*enrol, "--create-gallery", "--report", tmp_path / "report.json")
    assert again.records[0]["already_enrolled"]
    collins = again.records[1]
    assert collins["templates"] == 1
    assert {Path(r["image"]).name: r["reasons"] for r in collins["rejected"]} == {
        "gone.png": ["unreadable"],
        "huge.png": ["unreadable"],
        "blurred.png": ["blurred"],
        "two.png": ["several_faces"],
    }
    entries = json.loads((tmp_path / "report.json").read_text())
    assert [e["kind"] for e in entries if e["external_id"] == "2"] == ["rejected"] * 4
    assert len(facerec("profiles", "list", "--json").record) == 3  # Obama, Collins, Biden


def test_overrides_are_recorded(facerec: Facerec, photos: Path) -> None:
    facerec("enroll", "A", photos / "obama-2012.png", "--id", "a")
    done = facerec(
        *("enroll", "A", photos / "obama-2010.png", photos / "collins.png", "--id", "twin"),
        *("--accept-duplicate", "--accept-outliers", "--json"),
    )
    assert done.code == 0, done.err
    assert done.record["same_name"] == ["a"]
    assert "the same name is held by a" in done.err
    shown = facerec("profiles", "show", "twin", "--json").record["references"]
    assert [set(r["accepted"]) for r in shown] == [{"already_enrolled", "pictures_disagree"}] * 2
    done = facerec("enroll", "C", photos / "blurred.png", "--id", "c", "--accept-poor", "--json")
    assert done.record["accepted"][0]["reasons"] == ["blurred"]
    exported = facerec("profiles", "export", "c").record["references"]
    assert [r["accepted"] for r in exported] == [["blurred"]]
    entries = facerec("audit", "list", "--json").out
    assert "already_enrolled" in entries
    assert "blurred" in entries


def test_pictures_are_added_to_the_person_they_show(facerec: Facerec, photos: Path) -> None:
    facerec("enroll", "Obama", photos / "obama-2012.png", "--id", "obama")
    facerec("enroll", "Joe", photos / "biden-2010.png", "--id", "joe")
    add = ("profiles", "add-pictures", "obama")
    done = facerec(*add, photos / "obama-2010.png", photos / "collins.png", "--json")
    assert (done.code, done.record["templates"]) == (0, 2)
    assert done.record["rejected"][0]["reasons"] == ["not_like_the_others"]
    for other in ("biden-2010.png", "collins.png"):
        refused = facerec(*add, photos / other)
        assert refused.code == 1
        assert "do not show the person who is enrolled" in refused.err
    assert facerec(*add, photos / "obama-2012.png", "--json").record["already_enrolled"]
    assert facerec("profiles", "add-pictures", "x", photos / "two.png").code == 1


def test_a_changed_line_is_told_and_changes_nothing(facerec: Facerec, photos: Path) -> None:
    row = ("1", "Obama", "obama-2012.png", "", "", "3")
    table = write_table(photos / "people.csv", row)
    (first,) = facerec("enroll", "--from", table, "--json").records
    before = facerec("profiles", "show", first["profile_id"], "--json").record
    write_table(table, ("1", "Barack", "obama-2012.png", "", "2100-01-01", "4"))
    done = facerec("enroll", "--from", table, "--json")
    assert (done.code, done.record["already_enrolled"]) == (0, True)
    assert "name, attributes, valid_until of the table differ" in done.err
    assert facerec("profiles", "show", first["profile_id"], "--json").record == before


def test_a_report_that_cannot_be_written_is_said_before_the_work(
    facerec: Facerec, photos: Path
) -> None:
    for report, message in [("/nowhere/r.csv", "cannot be written"), ("r.txt", ".csv or a .json")]:
        done = facerec("enroll", "A", photos / "collins.png", "--report", report)
        assert (done.code, message in done.err) == (1, True)
    assert facerec("profiles", "list", "--json").record == []


ROWS = 24


@pytest.fixture
def crowd(pictures: Pictures, tmp_path: Path) -> Path:
    """A table of people who look like three, each with a large file of their own.

    Who is enrolled is stored and told every two seconds; all of these take far longer than that.
    """
    rows = []
    for number in range(ROWS):
        key = ("collins", "biden-2010", "obama-2012")[number % 3]
        picture = cv2.resize(cv2.imread(str(pictures[key])), (2400, 2400))
        cv2.imwrite(
            str(tmp_path / f"{number}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 60 + number]
        )
        rows.append((f"x{number}", f"P {number}", f"{number}.jpg", "", "", ""))
    return write_table(tmp_path / "crowd.csv", *rows)


def test_the_same_command_goes_on_after_a_crash(
    facerec: Facerec, own_home: Path, crowd: Path
) -> None:
    """Killed as soon as somebody is acknowledged, or before anybody is; nobody is lost or twice."""
    command = [COMMAND, "enroll", "--from", str(crowd), "--accept-duplicate", "--json"]
    acknowledged: dict[str, str] = {}
    for lines in (0, 1):
        with subprocess.Popen(
            [*command, "--home", str(own_home)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            read = [process.stdout.readline() for _ in range(lines)]
            process.send_signal(signal.SIGKILL)
            read += process.stdout.readlines()
        for record in (json.loads(line) for line in read if line.endswith("\n")):
            acknowledged[record["external_id"]] = record["profile_id"]
        assert len(acknowledged) < ROWS, "it was killed in the middle"
    assert acknowledged
    done = facerec(*command[1:])
    assert done.code == 0, done.err
    held = {r["external_id"]: r["profile_id"] for r in done.records}
    assert held.keys() == {f"x{number}" for number in range(ROWS)}
    assert acknowledged.items() <= held.items()
    assert len(facerec("profiles", "list", "--json").record) == ROWS
    first = {r["external_id"] for r in done.records if r["already_enrolled"]}
    assert acknowledged.keys() <= first


def test_kept_images_are_given_out_and_erased(
    facerec: Facerec, photos: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = photos / "collins.png"
    enrol = ("enroll", "Eileen Collins", picture, "--id", "c")
    assert facerec(*enrol).code == 0
    assert facerec("profiles", "export", "c").record["images"] == []
    facerec("profiles", "erase", "c", "--yes")
    monkeypatch.setenv("FACEREC_ENROLMENT__KEEP_IMAGES", "true")
    assert facerec(*enrol).code == 0
    exported = facerec("profiles", "export", "c").record
    (image,) = exported["images"]
    content = picture.read_bytes()
    assert base64.b64decode(image["file_base64"]) == content
    assert image["content_sha256"] == exported["references"][0]["content_sha256"]
    files = [path for path in own_home.rglob("*") if path.is_file()]
    pieces = [content[start : start + 64] for start in range(0, len(content) - 64, 4096)]
    for path in files:
        if own_home / "models" not in path.parents:
            assert not [piece for piece in pieces if piece in path.read_bytes()], path
    size = sum(path.stat().st_size for path in files if path.name.startswith("gallery.db"))
    assert size > len(content), "it is kept, sealed"
    facerec("profiles", "erase", "c", "--yes")
    assert facerec("profiles", "list", "--json").record == []
