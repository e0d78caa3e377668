import re

import pytest

from facerec.errors import GalleryError
from facerec.gallery.identifiers import (
    check_display_name,
    check_gallery_name,
    check_profile_id,
    new_profile_id,
)

GOOD = ["a", "0", "staff", "p-abc234defg", "a.b_c-d", "x" * 64]
BAD = ["", " ", "Staff", "-a", ".", "..", "../up", "a b", "a/b", "ä", "a\n", "x" * 65]


@pytest.mark.parametrize("check", [check_profile_id, check_gallery_name])
@pytest.mark.parametrize("name", GOOD)
def test_good_ids_are_taken_as_they_are(check: object, name: str) -> None:
    assert callable(check)
    assert check(name) == name


@pytest.mark.parametrize("check", [check_profile_id, check_gallery_name])
@pytest.mark.parametrize("name", BAD)
def test_ids_that_could_do_harm_in_a_path_are_refused(check: object, name: str) -> None:
    assert callable(check)
    with pytest.raises(GalleryError, match="1 to 64 of a-z"):
        check(name)


def test_new_ids_are_valid_and_differ() -> None:
    ids = {new_profile_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"p-[a-z2-7]{10}", check_profile_id(i)) for i in ids)


@pytest.mark.parametrize(
    ("given", "kept"), [("Ada", "Ada"), ("  Ada \t Byron ", "Ada Byron"), ("李 小龙", "李 小龙")]
)
def test_white_space_of_names_is_tidied(given: str, kept: str) -> None:
    assert check_display_name(given) == kept


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\x00b", "a\x1b[31mb"])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(GalleryError, match="1 to 200 printable"):
        check_display_name(name)
