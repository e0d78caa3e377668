"""Reading people a page at a time, however many there are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, not_, select

from facerec.errors import GalleryError
from facerec.gallery.index.reading import matched_at
from facerec.gallery.profile import Profile, ProfileState
from facerec.gallery.storage import schema
from facerec.gallery.storage.database import Database
from facerec.gallery.storage.profile_reading import read_profiles_of
from facerec.gallery.storage.reading import gallery_numbers
from facerec.gallery.times import stored

__all__ = ["LARGEST_PAGE", "ProfilePage", "ProfilePages"]

LARGEST_PAGE = 1000
"""Most people of a page: more would be held in memory at once for nothing."""

_profile, _membership = schema.profile.c, schema.membership.c


@dataclass(frozen=True)
class ProfilePage:
    """Some people, in the order of their ids.

    Attributes:
        profiles: The people.
        next_after: What to give as `after` for the next page; None when this is the last.
    """

    profiles: tuple[Profile, ...]
    next_after: str | None


class ProfilePages:
    """Reads the people of a database a page at a time."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        """Read a database; `clock` tells the present moment."""
        self._database = database
        self._clock = clock

    def page(
        self,
        *,
        limit: int,
        after: str = "",
        gallery: str | None = None,
        state: ProfileState | None = None,
    ) -> ProfilePage:
        """Return the next people by id; no others are read or opened.

        People who are enrolled or erased between two pages are in the later one or not as their id
        falls; nobody else is missed or told twice.

        Args:
            limit: How many at most, 1 to `LARGEST_PAGE`.
            after: Only ids after this one; "" for the first page.
            gallery: Only people of this gallery; None for all.
            state: Only people of this state at this moment; None for all.

        Raises:
            GalleryError: the limit is not one.
            GalleryNotFoundError: no gallery has that name.
            MasterKeyError: the master key is another one.
        """
        if not 1 <= limit <= LARGEST_PAGE:
            raise GalleryError(f"a page holds 1 to {LARGEST_PAGE} people; received {limit}")
        now = stored(self._clock())
        query = select(_profile.number, _profile.profile_id).where(_profile.profile_id > after)
        with self._database.reading() as connection:
            if gallery is not None:
                (number,) = gallery_numbers(connection, [gallery])
                members = select(_membership.profile).where(_membership.gallery == number)
                query = query.where(_profile.number.in_(members))
            query = query.where(*_in_state(state, now)).order_by(_profile.profile_id)
            rows = connection.execute(query.limit(limit + 1)).all()
            vault, numbers = self._database.vault, [row.number for row in rows[:limit]]
            found = read_profiles_of(connection, vault, numbers, now)
        more = rows[limit - 1].profile_id if len(rows) > limit else None
        return ProfilePage(tuple(sorted(found, key=lambda profile: profile.profile_id)), more)


def _in_state(state: ProfileState | None, now: str) -> tuple[ColumnElement[bool], ...]:
    active, *valid = matched_at(now)
    if state is ProfileState.ACTIVE:
        return (active, *valid)
    if state is ProfileState.EXPIRED:
        return (active, not_(valid[0] & valid[1]))
    return () if state is None else (not_(active),)
