"""Tables and folders of people, as spreadsheets and hands make them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facerec.cli.people_to_enrol import people_from
from facerec.errors import SourceError

HEADER = "external_id,name,images,galleries,valid_from,valid_until,attribute.Floor\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


def test_every_column_is_read(table: Path) -> None:
    folder = table.parent / "ada"
    folder.mkdir()
    for name in ("2.PNG", "1.jpg", "notes.txt", ".hidden.jpg"):
        (folder / name).write_bytes(b"")
    table.write_text(
        "Name,images,external_id,profile_id,galleries,consent,valid_from,valid_until,"
        "attribute.Floor,attribute.badge\n"
        "Ada  Lovelace,ada|x/3.jpg|ada/1.jpg,17,ada,staff | default,form 7,2030-01-31,"
        "2031-01-31T18:00+01:00,3,\n"
        "\n"
        '"Babbage, Charles",c.jpg,,,,,,,,\n'
    )
    ada, charles = people_from(table)
    assert (ada.name, ada.external_id, ada.profile_id) == ("Ada Lovelace", "17", "ada")
    place = table.parent
    assert ada.pictures == (place / "ada/1.jpg", place / "ada/2.PNG", place / "x/3.jpg")
    assert (ada.galleries, ada.consent) == (("staff", "default"), "form 7")
    assert ada.valid_from == datetime(2030, 1, 31, tzinfo=UTC)
    assert ada.valid_until == datetime(2031, 1, 31, 17, tzinfo=UTC)
    assert ada.attributes == {"Floor": "3"}
    assert (charles.name, charles.line, charles.problem) == ("Babbage, Charles", 4, "")
    assert (charles.galleries, charles.consent, charles.profile_id) == (None, None, None)
    assert charles.external_id == ""


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_spreadsheets_write_is_understood(
    table: Path, delimiter: str, encoding: str, end: str
) -> None:
    text = end.join(["name,images", "Zoë Ångström,z.jpg", ""]).replace(",", delimiter)
    table.write_bytes(text.encode(encoding))
    (person,) = people_from(table)
    assert (person.name, person.problem, person.line) == ("Zoë Ångström", "", 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no column 'name'"),
        (b"name,picture\nA,a.jpg\n", "no column 'images'"),
        (b"name,images,extrenal_id\nA,a.jpg,1\n", "did you mean 'external_id'"),
        (b"name,images,attribute.\nA,a.jpg,1\n", "unknown column 'attribute.'"),
        (b"name,images,name\nA,a.jpg,B\n", "a column twice"),
        (b"name,images\n\n ,\n", "holds nobody"),
        ("name,images\nA,a.jpg\nZoë,z.jpg\n".encode("latin-1"), "not UTF-8 text at line 3"),
        (b'name,images\n"A,a.jpg\n', "no table of comma-separated values"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_as_a_whole(
    table: Path, content: bytes, message: str
) -> None:
    table.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        people_from(table)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1,A,a.jpg,,tomorrow,,", "a time must be written as"),
        ("1,A,a.jpg,,2030-01-02,2030-01-01,", "end after it begins"),
        ("1, ,a.jpg,,,,", "name must be"),
        ("1,A,a.jpg", "more or fewer cells"),
        ("1,A,a.jpg,,,,,x", "more or fewer cells"),
    ],
)
def test_a_line_that_is_not_fit_is_one_persons_problem(
    table: Path, line: str, problem: str
) -> None:
    table.write_text(f"{HEADER}{line}\n2,B,b.jpg,,,,\n")
    first, second = people_from(table)
    assert problem in first.problem
    assert (first.line, first.external_id, first.pictures) == (2, "1", ())
    assert (second.name, second.problem) == ("B", "")


def test_an_id_is_one_persons(table: Path) -> None:
    table.write_text(
        "name,images,external_id,profile_id\nA,a.jpg,1,x\nB,b.jpg,1,\nC,c.jpg,2,x\nD,d.jpg,,\n"
    )
    problems = [person.problem for person in people_from(table)]
    assert problems[0] == problems[3] == ""
    assert "the same external id is on line 2" in problems[1]
    assert "the same id is on line 2" in problems[2]


def test_neither_a_folder_nor_a_table(tmp_path: Path) -> None:
    for name in ("missing", "missing.csv", "people.xlsx"):
        if name.endswith("xlsx"):
            (tmp_path / name).write_bytes(b"PK")
        with pytest.raises(SourceError):
            people_from(tmp_path / name)


@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    table = tmp_path_factory.mktemp("tables") / "people.csv"
    for start in (b"", b"name,images\n"):
        table.write_bytes(start + content)
        try:
            people = people_from(table)
        except SourceError as error:
            assert "\n" not in str(error)
        else:
            assert all(person.problem or person.name for person in people)
