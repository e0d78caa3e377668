"""The people whom no search finds: suspended, or outside their time of validity.

Whoever is enrolled again must be known again even then: to enrol a suspended person under another
name is the oldest way around a suspension.
"""

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select

from facerec.gallery.index.reading import changed_since, next_boundary, read_rows_of
from facerec.gallery.index.rows import starts_of
from facerec.gallery.profile import ProfileState
from facerec.gallery.storage import schema
from facerec.gallery.storage.database import Database
from facerec.gallery.storage.query_parts import in_parts
from facerec.gallery.storage.reading import read_revision
from facerec.gallery.times import stored

__all__ = ["DormantPeople"]

_profile = schema.profile.c


@dataclass(frozen=True, eq=False)
class _Person:
    """A dormant person: their id, and space -> their templates, float32 (n, d)."""

    profile_id: str
    templates: dict[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class _Dormant:
    """Who is dormant at a revision, by number, from one moment to another.

    Attributes:
        revision: Of the database.
        people: Who is dormant.
        templates: How many templates are stored, of everybody.
        instant: The first moment, as times are stored; "" for never.
        until: The next moment at which somebody's validity begins or ends; "" when there is none.
    """

    revision: int = 0
    people: dict[int, _Person] = field(default_factory=dict)
    templates: int = 0
    instant: str = ""
    until: str = ""

    def shows(self, instant: str) -> bool:
        """Whether who is dormant at a moment is who is dormant here."""
        return bool(self.instant) and self.instant <= instant < (self.until or "~")


class DormantPeople:
    """The dormant people of one database, read as far as they changed; safe for several threads."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        """Mirror a database; `clock` tells the present moment."""
        self._database = database
        self._clock = clock
        self._known = _Dormant()
        self._refreshing = threading.Lock()

    def most_alike(
        self, probe: NDArray[np.float32], embedding_space: str, k: int = 2
    ) -> tuple[tuple[str, float], ...]:
        """Return the `k` dormant people most like a probe, as id and similarity, best first.

        Args:
            probe: float32 (d,), unit length.
            embedding_space: Space that the probe lies in.
            k: How many.
        """
        found = [
            (person.profile_id, float(np.max(person.templates[embedding_space] @ probe)))
            for person in self._current().people.values()
            if embedding_space in person.templates
        ]
        return tuple(sorted(found, key=lambda hit: -hit[1])[:k])

    def templates(self) -> int:
        """Return how many templates are stored, of everybody, dormant or not."""
        return self._current().templates

    def _current(self) -> _Dormant:
        with self._refreshing:
            instant = stored(self._clock())
            known = self._known
            if known.revision != self._database.revision() or not known.shows(instant):
                with self._database.reading() as connection:
                    self._known = self._refreshed(connection, instant)
            return self._known

    def _refreshed(self, connection: Connection, instant: str) -> _Dormant:
        known = self._known
        revision = read_revision(connection)
        if known.revision > revision:  # another database took this one's place
            known = _Dormant()
        changed = changed_since(connection, known.revision)
        dormant = set(connection.scalars(select(_profile.number).where(_is_dormant(instant))))
        kept = {n: p for n, p in known.people.items() if n in dormant and n not in changed}
        read = self._read(connection, sorted(dormant - set(kept)))
        templates = connection.scalar(select(func.count()).select_from(schema.template)) or 0
        until = next_boundary(connection, instant)
        return _Dormant(revision, kept | read, int(templates), instant, until)

    def _read(self, connection: Connection, numbers: list[int]) -> dict[int, _Person]:
        people: dict[int, _Person] = {}
        for some in in_parts(numbers):
            people |= self._read_some(connection, some)
        return people

    def _read_some(self, connection: Connection, numbers: Sequence[int]) -> dict[int, _Person]:
        found: dict[int, _Person] = {}
        for space, rows in read_rows_of(connection, self._database.vault, numbers).items():
            starts = starts_of(rows.people)
            for start, end in itertools.pairwise([*starts.tolist(), len(rows)]):
                number, profile_id = rows.people.item(start), rows.profile_ids.item(start)
                person = found.setdefault(number, _Person(profile_id.decode(), {}))
                person.templates[space] = rows.embeddings[start:end]
        return found


def _is_dormant(instant: str) -> ColumnElement[bool]:
    """Select who is not matched at a moment."""
    return or_(
        not_(_profile.state == ProfileState.ACTIVE.value),
        and_(_profile.valid_from.is_not(None), _profile.valid_from > instant),
        and_(_profile.valid_until.is_not(None), _profile.valid_until <= instant),
    )
