from pathlib import Path

import pytest

from facerec.demo.choreography import ACTORS
from facerec.demo.outlines import OUTLINES
from facerec.demo.pictures import PICTURES, DemoPicture

PAGE = Path(__file__).resolve().parents[3] / "docs" / "demo-pictures.md"


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.key)
def test_the_page_for_people_says_what_the_table_says(picture: DemoPicture) -> None:
    member = picture.file.member.split("face_recognition-1.3.0/")[-1]
    row = (
        f"| `{picture.key}` | {picture.person} | {picture.file.package} {picture.file.version}, "
        f"`{member}` | {picture.origin} |"
    )
    assert row in PAGE.read_text(encoding="utf-8")


def test_the_page_has_no_row_too_many() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if ".jpg` |" in line]
    assert len(rows) == sum(picture.file.member.endswith(".jpg") for picture in PICTURES)


def test_every_actor_has_a_photograph_and_an_outline() -> None:
    keys = [picture.key for picture in PICTURES]
    assert len(set(keys)) == len(keys)
    assert {actor.picture for actor in ACTORS} == set(OUTLINES)
    assert set(OUTLINES) <= set(keys)


def test_every_photograph_says_why_it_may_be_used() -> None:
    for picture in PICTURES:
        assert "ublic domain" in picture.rights
        assert picture.origin.endswith(".")
