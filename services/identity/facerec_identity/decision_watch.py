"""Tells the answers to gates as the audit journal has them, of all servers of the home."""

import base64
import binascii
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass
from time import monotonic

from facerec.errors import RequestError
from facerec.gallery.audit.entry import AuditEntry
from facerec.gallery.audit.event import AuditKind
from facerec.gallery.audit.reading import AuditFilter
from facerec.gallery.gallery import Gallery

__all__ = ["DecisionPage", "decisions_after", "follow", "number_of_token", "token_of_number"]

_AT_ONCE = 100
_PING_S = 15.0
_TOKEN = "decisions:"
_DECISIONS = AuditFilter(kinds=(AuditKind.AUTHORIZED,))


@dataclass(frozen=True)
class DecisionPage:
    """Some decisions.

    Attributes:
        entries: Entries of the journal, in order.
        reached: Number up to which the journal was read.
        more: Whether there are more to be read at once.
    """

    entries: tuple[AuditEntry, ...]
    reached: int
    more: bool


def decisions_after(gallery: Gallery, number: int, gates: Collection[str]) -> DecisionPage:
    """Return the next decisions for gates; for all gates when none is named.

    The keys of people are opened, to name them, only when there is something to tell.

    Args:
        gallery: Whose journal.
        number: Of the last entry that is known.
        gates: Names.
    """
    last = gallery.journal.last_number
    if last <= number:
        return DecisionPage((), number, more=False)
    found = gallery.journal.read(_DECISIONS, after=number, limit=_AT_ONCE, name_people=True)
    more = len(found) == _AT_ONCE
    wanted = tuple(entry for entry in found if not gates or entry.event.place in gates)
    # All entries up to `last` were seen, unless the page was full; others may come meanwhile.
    reached = found[-1].number if more else max(last, found[-1].number if found else 0)
    return DecisionPage(wanted, reached, more)


async def follow(
    number: int,
    read: Callable[[int], Awaitable[DecisionPage]],
    pause: Callable[[], Awaitable[None]],
) -> AsyncIterator[tuple[AuditEntry | None, int]]:
    """Yield the decisions after an entry for ever, each with the number to go on after.

    Now and then, when there is none, None with the number that was reached.

    Args:
        number: Of the last entry that is known.
        read: Returns the decisions after an entry.
        pause: Waits until it is worth to look again; may raise to end.
    """
    yield None, number
    told_s = monotonic()
    while True:
        page = await read(number)
        for entry in page.entries:
            told_s = monotonic()
            yield entry, entry.number
        number = page.reached
        if not page.more:
            await pause()
        if monotonic() - told_s >= _PING_S:
            told_s = monotonic()
            yield None, number


def token_of_number(number: int) -> str:
    """Return the token with which to go on after an entry."""
    return base64.urlsafe_b64encode(f"{_TOKEN}{number}".encode()).decode("ascii")


def number_of_token(token: str) -> int:
    """Return the number of the entry after which to go on.

    Raises:
        RequestError: the server gave out no such token.
    """
    try:
        text = base64.urlsafe_b64decode(token).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    number = text.removeprefix(_TOKEN)
    if not text.startswith(_TOKEN) or not number.isdigit() or len(number) > 18:
        raise RequestError("is not a token that the server gave out", field="resume_token")
    return int(number)
