"""Pages of a list that is ordered by a unique key (google.aip.dev/158)."""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from facerec.errors import RequestError

__all__ = ["Page", "page_of"]

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
    if size < 0:
        raise RequestError(f"must not be negative; received {size}", field="page_size")
    limit = min(size or _DEFAULT_SIZE, _LARGEST_SIZE)
    start = bisect_right(items, _last_key(token, scope), key=key) if token else 0
    page = tuple(items[start : start + limit])
    last = start + limit >= len(items)
    return Page(page, "" if last else _token(scope, key(page[-1])))


def _token(scope: str, last_key: str) -> str:
    return base64.urlsafe_b64encode(f"{scope}\n{last_key}".encode()).decode()


def _last_key(token: str, scope: str) -> str:
    try:
        token_scope, _, last_key = base64.urlsafe_b64decode(token).decode().partition("\n")
    except (binascii.Error, ValueError):
        token_scope, last_key = "", ""
    if not last_key or token_scope != scope:
        raise RequestError(
            "is not a token that this list gave out; begin with the first page", field="page_token"
        )
    return last_key
