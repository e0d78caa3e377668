"""Pages of a list that is ordered by a unique key (google.aip.dev/158)."""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from facerec.errors import RequestError

__all__ = ["Page", "key_of_token", "page_of", "page_size", "token_of_key"]

T = TypeVar("T")

_DEFAULT_SIZE = 100
_LARGEST_SIZE = 1000


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of a list.

    Attributes:
        items: The items, in order.
        next_token: Opaque token of the next page; "" when this is the last.
    """

    items: tuple[T, ...]
    next_token: str


def page_of(
    items: Sequence[T], key: Callable[[T], str], *, size: int, token: str, scope: str
) -> Page[T]:
    """Return one page.

    A token holds the last key that was given out, so items that come and go between two pages make
    others neither appear twice nor vanish.

    Args:
        items: All items, in ascending order of their keys.
        key: Unique key of an item.
        size: Most items wanted; 0 for 100, larger than 1000 counts as 1000.
        token: `Page.next_token` of the page before; "" for the first.
        scope: What was asked for beside size and token; a token of another scope is refused.

    Raises:
        RequestError: the size is negative, or the token is not one that was given for this scope.
    """
    limit = page_size(size)
    start = bisect_right(items, key_of_token(token, scope), key=key) if token else 0
    page = tuple(items[start : start + limit])
    last = start + limit >= len(items)
    return Page(page, "" if last else token_of_key(key(page[-1]), scope))


def page_size(asked: int) -> int:
    """Return the most items of a page.

    Raises:
        RequestError: a negative number was asked for.
    """
    if asked < 0:
        raise RequestError(f"must not be negative; received {asked}", field="page_size")
    return min(asked or _DEFAULT_SIZE, _LARGEST_SIZE)


def token_of_key(last_key: str, scope: str) -> str:
    """Return the token of the page after a key."""
    return base64.urlsafe_b64encode(f"{scope}\n{last_key}".encode()).decode()


def key_of_token(token: str, scope: str) -> str:
    """Return the key after which the page of a token begins.

    Raises:
        RequestError: it is not one that was given out for this scope.
    """
    try:
        token_scope, _, last_key = base64.urlsafe_b64decode(token).decode().partition("\n")
    except (binascii.Error, ValueError):
        token_scope, last_key = "", ""
    if not last_key or token_scope != scope:
        raise RequestError(
            "is not a token that this list gave out; begin with the first page", field="page_token"
        )
    return last_key
