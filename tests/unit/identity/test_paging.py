"""Pages of a list."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facerec.errors import RequestError
from facerec_identity.paging import page_of

KEYS = st.lists(st.text("abc.-_09", min_size=1, max_size=4), unique=True).map(sorted)


def pages(keys: list[str], size: int, scope: str = "") -> list[tuple[str, ...]]:
    found, token = [], ""
    while True:
        page = page_of(keys, str, size=size, token=token, scope=scope)
        found.append(page.items)
        token = page.next_token
        if not token:
            return found


@given(KEYS, st.integers(1, 7))
def test_pages_together_are_the_list(keys: list[str], size: int) -> None:
    found = pages(keys, size)
    assert [key for page in found for key in page] == keys
    assert all(len(page) == size for page in found[:-1])
    assert len(found) == max(1, -(-len(keys) // size))  # no empty last page


@given(KEYS.filter(lambda keys: len(keys) >= 4), st.data())
def test_what_comes_and_goes_between_pages_disturbs_no_other(
    keys: list[str], data: st.DataObject
) -> None:
    first = page_of(keys, str, size=2, token="", scope="")
    gone = data.draw(st.sampled_from(keys))
    after = sorted({*keys, "zz"} - {gone})
    rest = page_of(after, str, size=1000, token=first.next_token, scope="")
    assert list(rest.items) == [key for key in after if key > keys[1]]


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, 100), (1, 1), (1000, 1000), (5000, 1000)],
    ids=["default", "one", "largest", "larger than the largest"],
)
def test_page_sizes(size: int, expected: int) -> None:
    keys = [f"{number:04}" for number in range(1500)]
    assert len(page_of(keys, str, size=size, token="", scope="").items) == expected


@pytest.mark.parametrize(
    "token",
    ["?", "abc", "=", base64.urlsafe_b64encode(b"\xff\xfe").decode(), "Cg=="],
)
def test_a_foreign_token_is_refused(token: str) -> None:
    with pytest.raises(RequestError) as caught:
        page_of(["a", "b"], str, size=1, token=token, scope="")
    assert caught.value.field == "page_token"


def test_a_token_of_another_list_is_refused() -> None:
    token = page_of(["a", "b"], str, size=1, token="", scope="galleries/staff").next_token
    assert page_of(["a", "b"], str, size=1, token=token, scope="galleries/staff").items == ("b",)
    with pytest.raises(RequestError):
        page_of(["a", "b"], str, size=1, token=token, scope="galleries/guests")


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(RequestError) as caught:
        page_of(["a"], str, size=-1, token="", scope="")
    assert caught.value.field == "page_size"
