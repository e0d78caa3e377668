"""``facerec enroll`` and ``facerec profiles`` as a user types them, on real photographs."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.e2e.conftest import Facerec

Pictures = dict[str, Path]


def person(folder: Path, name: str, *pictures: Path) -> Path:
    """Make a person's folder of pictures."""
    place = folder / name
    place.mkdir(parents=True)
    for picture in pictures:
        shutil.copy(picture, place)
    return place


def test_a_person_is_enrolled_and_shown(facerec: Facerec, pictures: Pictures) -> None:
    images = [pictures["obama-2012"], pictures["obama-2010"]]
    done = facerec("enroll", "Barack Obama", *images, "--consent", "form 7", "--json")
    assert done.code == 0, done.err
    assert done.record["name"] == "Barack Obama"
    assert (done.record["templates"], done.record["rejected"]) == (2, [])
    identity = done.record["profile_id"]

    (listed,) = facerec("profiles", "list", "--json").record
    assert listed == {
        "profile_id": identity,
        "name": "Barack Obama",
        "galleries": ["default"],
        "state": "active",
        "templates": 2,
    }
    shown = facerec("profiles", "show", identity, "--json").record
    assert shown["consent"] == "form 7"
    assert [r["source"] for r in shown["references"]] == ["obama.jpg", "obama3.jpg"]
    assert "embedding" not in shown["references"][0]
    assert all(0.2 <= r["quality"] <= 1 for r in shown["references"])
    assert "Barack Obama" in facerec("profiles", "list").out
    assert "form 7" in facerec("profiles", "show", identity).out


def test_pictures_that_do_not_show_one_clear_face_are_rejected_with_reasons(
    facerec: Facerec, pictures: Pictures, tmp_path: Path
) -> None:
    left, right = (cv2.imread(str(pictures[key])) for key in ("obama-2012", "biden-2010"))
    size = (600, 600)
    both = tmp_path / "both.png"
    cv2.imwrite(str(both), np.hstack([cv2.resize(left, size), cv2.resize(right, size)]))
    nobody = tmp_path / "nobody.png"
    cv2.imwrite(str(nobody), np.full((300, 300, 3), 127, np.uint8))
    blurred = tmp_path / "blurred.png"
    cv2.imwrite(str(blurred), cv2.GaussianBlur(cv2.resize(left, size), (0, 0), 12))
    text = tmp_path / "text.jpg"
    text.write_text("not a picture")
    missing = tmp_path / "missing.jpg"
    bad = [both, nobody, blurred, text, missing]

    done = facerec("enroll", "Obama", pictures["obama-2012"], *bad, "--json")
    assert done.code == 0, done.err
    assert done.record["templates"] == 1
    rejected = {Path(r["image"]).name: r["reasons"] for r in done.record["rejected"]}
    assert rejected == {
        "both.png": ["several_faces"],
        "nobody.png": ["no_face"],
        "blurred.png": ["blurred"],
        "text.jpg": ["unreadable"],
        "missing.jpg": ["unreadable"],
    }
    assert all(path.name in done.err for path in bad)

    alone = facerec("enroll", "Someone", *bad, "--json")
    assert alone.code == 1
    assert alone.record["profile_id"] is None
    assert "Someone could not be enrolled: none of the pictures can be used" in alone.err
    assert len(facerec("profiles", "list", "--json").record) == 1


def test_force_and_largest_take_what_would_be_rejected(
    facerec: Facerec, pictures: Pictures, tmp_path: Path
) -> None:
    picture = cv2.imread(str(pictures["obama-2012"]))
    small = cv2.resize(picture, (600, 600))
    blurred, both = tmp_path / "blurred.png", tmp_path / "both.png"
    cv2.imwrite(str(blurred), cv2.GaussianBlur(small, (0, 0), 12))
    cv2.imwrite(str(both), np.hstack([small, cv2.resize(small, (590, 600))]))
    assert facerec("enroll", "A", blurred).code == 1
    assert facerec("enroll", "A", both).code == 1
    assert facerec("enroll", "A", blurred, "--largest").code == 1
    assert facerec("enroll", "A", blurred, "--force").code == 0
    assert facerec("enroll", "B", both, "--largest").code == 0


def test_galleries_are_made_only_when_asked(facerec: Facerec, pictures: Pictures) -> None:
    enrol = ("enroll", "Joe Biden", pictures["biden-2010"], "--gallery", "staff")
    refused = facerec(*enrol)
    assert refused.code == 1
    assert "no gallery is named 'staff'; there are: default" in refused.err
    assert facerec(*enrol, "--create-gallery", "--id", "joe").code == 0
    assert facerec("profiles", "show", "joe", "--json").record["galleries"] == ["staff"]
    counts = facerec("profiles", "galleries", "--json").record
    assert counts == [{"gallery": "default", "profiles": 0}, {"gallery": "staff", "profiles": 1}]
    assert facerec("profiles", "list", "--gallery", "default", "--json").record == []
    # The same person, now in the other gallery as well: not enrolled twice.
    again = facerec("enroll", "Joe Biden", pictures["biden-2010"], "--json")
    assert (again.code, again.record["profile_id"]) == (0, "joe")
    assert facerec("profiles", "show", "joe", "--json").record["galleries"] == ["default", "staff"]


def test_an_id_is_used_once_and_must_be_fit(facerec: Facerec, pictures: Pictures) -> None:
    assert facerec("enroll", "A", pictures["collins"], "--id", "a").code == 0
    taken = facerec("enroll", "B", pictures["biden-2010"], "--id", "a")
    assert taken.code == 1
    assert "'a' exists" in taken.err
    unfit = facerec("enroll", "B", pictures["biden-2010"], "--id", "../a")
    assert unfit.code == 1
    assert "a profile id must be" in unfit.err
    assert len(facerec("profiles", "list", "--json").record) == 1


@pytest.fixture
def folder(pictures: Pictures, tmp_path: Path) -> Path:
    """Three people, of whom the last has no picture that can be used; and what is none."""
    place = tmp_path / "people"
    person(place, "Barack_Obama", pictures["obama-2012"], pictures["obama-2009"])
    person(place, "Joe_Biden", pictures["biden-2010"])
    (place / "Joe_Biden" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    (place / "Joe_Biden" / "notes.txt").write_text("not a picture, nor taken for one")
    (person(place, "Zoe_Nobody") / "empty.png").write_bytes(b"")
    (place / "readme.txt").write_text("not a person")
    return place


def test_a_folder_of_people_is_enrolled_once(
    facerec: Facerec, folder: Path, pictures: Pictures
) -> None:
    first = facerec("enroll", "--from", folder, "--json")
    assert first.code == 1, "one person could not be enrolled"
    assert [(r["name"], r["templates"]) for r in first.records] == [
        ("Barack Obama", 2),
        ("Joe Biden", 1),
        ("Zoe Nobody", 0),
    ]
    assert [Path(r["image"]).name for r in first.records[1]["rejected"]] == ["broken.jpg"]
    assert "Zoe Nobody could not be enrolled" in first.err
    before = facerec("profiles", "list", "--json").record

    again = facerec("enroll", "--from", folder, "--json")
    assert [r["already_enrolled"] for r in again.records] == [True, True, False]
    assert facerec("profiles", "list", "--json").record == before

    shutil.copy(pictures["obama-2010"], folder / "Barack_Obama")
    more = facerec("enroll", "--from", folder, "--json").records[0]
    assert (more["templates"], more["already_enrolled"]) == (3, False)
    assert len(facerec("profiles", "list", "--json").record) == 2


def test_a_folder_says_what_was_done_to_a_person_who_reads(facerec: Facerec, folder: Path) -> None:
    done = facerec("enroll", "--from", folder)
    assert "Joe Biden is enrolled as p-" in done.out
    assert "2 of 3 people are enrolled" in done.err
    assert "Joe Biden was already enrolled as p-" in facerec("enroll", "--from", folder).out


def test_what_is_no_folder_of_people_is_refused(facerec: Facerec, tmp_path: Path) -> None:
    for place in (tmp_path / "missing", Path(__file__), tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        done = facerec("enroll", "--from", place)
        assert done.code == 1
        assert "one folder a person" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("Name only",),
        ("Name", "picture.jpg", "--from", "folder"),
        ("--from", "folder", "--id", "a"),
        ("Name", "picture.jpg", "--wrong-option"),
    ],
)
def test_wrong_usage_is_said_with_exit_code_2(facerec: Facerec, arguments: tuple[str, ...]) -> None:
    done = facerec("enroll", *arguments)
    assert done.code == 2
    assert "Usage: facerec enroll" in done.err


def test_names_with_brackets_and_controls_do_no_harm(facerec: Facerec, pictures: Pictures) -> None:
    name = "Ada [bold red]Byron[/] [x"
    done = facerec("enroll", name, pictures["collins"])
    assert done.code == 0, done.err
    assert name in done.out.replace("\n", " ")
    assert json.loads(facerec("profiles", "list", "--json").out)[0]["name"] == name
    assert facerec("profiles", "list").code == 0
    refused = facerec("enroll", "bell\a", pictures["collins"])
    assert refused.code == 1
    assert "printable" in refused.err


def test_unknown_profiles_and_galleries_are_said(facerec: Facerec) -> None:
    unknown = facerec("profiles", "show", "nobody")
    assert unknown.code == 1
    assert "no profile has the id 'nobody'" in unknown.err
    gallery = facerec("profiles", "list", "--gallery", "ghosts", "--json")
    assert (gallery.code, gallery.out) == (1, "")
    assert "there are: default" in gallery.err
