"""Keeps the indexes of one home up to date while they are searched.

What is searched is an `IndexSet` that never changes; bringing it up to date makes another, and one
reference is moved from the old to the new. So who searches never waits for who writes:

- A change that this process makes is in the indexes before it is acknowledged, by the thread that
  makes it. Until then others answer as if it were not made yet, without a look at the database.
- A change of another process is noticed by the next search. If it is small and no other thread is
  at it, that search takes it in first; otherwise it answers from the indexes that there are, and
  the change is taken in meanwhile.
- Before an answer from indexes that are behind is given, those whom it names are looked up in the
  database. Who was changed since, or may not be matched any more, is not named: the search then
  waits and is made again. (Another process's change counts after 20 ms at most, `_ASK_AT_LEAST_S`.)
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from facerec.errors import EmbeddingSpaceError, FaceRecError, GalleryError, GalleryNotFoundError
from facerec.gallery.index.index_set import IndexSet
from facerec.gallery.index.reading import all_valid, read_changes, touched_since
from facerec.gallery.index.rules import MAXIMA, IndexRules
from facerec.gallery.index.saving import SNAPSHOT_EVERY, IndexSaver
from facerec.gallery.index.vector_index import Hit, merge
from facerec.gallery.profile import Candidates
from facerec.gallery.storage import reading
from facerec.gallery.storage.database import Database
from facerec.gallery.times import stored

__all__ = ["SNAPSHOT_EVERY", "IndexKeeper"]

_FEW_PEOPLE = 200
"""Changes of so many people by another process are taken in by the search that meets them, in a few
milliseconds."""

_ASK_AGAIN_S, _ASK_AT_LEAST_S = 0.002, 0.02
"""How old an answer of the database may be that nothing was changed elsewhere; and how old while
another thread is asking anew."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Asked:
    """A revision of the database, and when it was asked for, by the monotonic clock."""

    revision: int
    at: float


@dataclass(frozen=True)
class _Changed:
    """Who was changed after one revision and, at least, until another."""

    since: int
    until: int
    people: frozenset[int]


@dataclass(frozen=True)
class _Own:
    """Revisions that this process made, one after the other: those after one, until another."""

    since: int
    until: int


class IndexKeeper:
    """The indexes of one home; safe to use from several threads."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        snapshot_every: int,
        rules: IndexRules = MAXIMA,
    ) -> None:
        """Mirror a database.

        Args:
            database: The truth.
            clock: Tells the present moment.
            snapshot_every: As `SNAPSHOT_EVERY`.
            rules: How indexes are searched.
        """
        self._database = database
        self._clock = clock
        self._saver = IndexSaver(database, snapshot_every)
        self._indexes = IndexSet(rules=rules)
        self._opened = False
        self._closing = False
        self._publishing = threading.Lock()
        self._background: dict[str, threading.Thread] = {}
        self._writers = 0
        self._counting = threading.Lock()
        self._asking = threading.Lock()
        self._comparing = threading.Lock()
        self._asked = _Asked(0, -math.inf)
        self._changed = _Changed(0, 0, frozenset())
        self._own = _Own(0, 0)
        database.around_write = self._writing
        database.before_commit = self._about_to_commit

    def close(self) -> None:
        """Wait for what is being done in the background."""
        self._closing = True
        for thread in list(self._background.values()):
            thread.join()
        self._saver.close()

    def current(self) -> IndexSet:
        """Return the indexes of the present revision, once they are that."""
        now = stored(self._clock())
        indexes = self._indexes
        if indexes.revision == self._database.revision() and indexes.shows(now):
            return indexes
        with self._publishing:
            self._refresh(now)
            return self._indexes

    def save(self) -> bool:
        """Write a snapshot of the indexes as they are; return whether it was, see `IndexSaver`.

        Raises:
            GalleryError: it cannot be written.
        """
        return self._saver.save(self._indexes)

    def search(
        self,
        probe: NDArray[np.float32],
        embedding_space: str,
        galleries: Sequence[str],
        k: int,
        min_revision: int,
    ) -> Candidates:
        """Search the indexes, as `IndexSet.search`, without waiting for writers.

        Args:
            probe: As in `IndexSet.search`.
            embedding_space: Space of the probe.
            galleries: Names of galleries.
            k: How many people.
            min_revision: The answer is of this revision or a later one, whether or not who made
                the changes has been told that they are made.

        Raises:
            GalleryError: there is no such revision yet.
            GalleryNotFoundError: no gallery has a given name.
            EmbeddingSpaceError: people are enrolled, but nobody in the space of the probe.
        """
        now = stored(self._clock())
        revision = self._revision()
        indexes = self._indexes
        present = self._misses_own_alone(indexes.revision, revision) and indexes.shows(now)
        behind = False
        if not present or indexes.revision < min_revision:
            indexes = self._closer(now, min_revision)
            behind = indexes.revision < revision or not indexes.shows(now)
        if indexes.revision < min_revision:
            raise GalleryError(
                f"the gallery is at revision {indexes.revision}, and has none {min_revision} yet: "
                "ask the home in which the change was made"
            )
        if behind:
            return self._search_behind(probe, embedding_space, galleries, k, now)
        return indexes.search(probe, embedding_space, galleries, k)

    def _revision(self) -> int:
        """Return the database's revision as of now, or of a moment ago.

        Threads that all waited for each other to ask would wait long; one asks for all.
        """
        asked = self._asked
        age_s = time.monotonic() - asked.at
        if age_s < _ASK_AGAIN_S or not self._asking.acquire(blocking=age_s > _ASK_AT_LEAST_S):
            return asked.revision
        try:
            at = time.monotonic()
            self._asked = asked = _Asked(self._database.revision(), at)
            return asked.revision
        finally:
            self._asking.release()

    def _search_behind(
        self,
        probe: NDArray[np.float32],
        embedding_space: str,
        galleries: Sequence[str],
        k: int,
        now: str,
    ) -> Candidates:
        """Search indexes that are behind; wait for the present ones if the answer would differ."""
        indexes = self._indexes
        try:
            hits = indexes.best(probe, embedding_space, galleries, k)
        except (GalleryNotFoundError, EmbeddingSpaceError):  # there may be one meanwhile
            return self.current().search(probe, embedding_space, galleries, k)
        if not self._stand(hits, indexes, now):
            return self.current().search(probe, embedding_space, galleries, k)
        return indexes.candidates(hits, embedding_space, galleries)

    def _stand(self, hits: Sequence[Hit], indexes: IndexSet, now: str) -> bool:
        """Return whether people may be matched now, and were not changed since they were read."""
        changed = self._changed_between(indexes.revision, self._revision())
        if any(hit.person in changed.people for hit in hits):
            return False
        if indexes.shows(now):
            return True
        with self._database.reading() as connection:
            return all_valid(connection, [hit.person for hit in hits], now)

    def _changed_between(self, since: int, until: int) -> _Changed:
        """Return who was changed in that time; one thread asks, and those who meet it wait."""
        changed = self._changed
        if (changed.since, changed.until) == (since, until):
            return changed
        with self._comparing:
            changed = self._changed
            if (changed.since, changed.until) != (since, until):
                # Whoever changed after `until` may be among them too, which does no harm.
                changed = _Changed(since, until, self._database.changed_since(since))
                self._changed = changed
            return changed

    def _closer(self, now: str, min_revision: int) -> IndexSet:
        """Return indexes that are no older than those there are, without waiting for a writer."""
        if not self._opened or self._indexes.revision < min_revision:
            return self.current()
        # A thread of this process that is making a change will take it in itself.
        if self._writers or not self._publishing.acquire(blocking=False):
            return self._indexes
        try:
            with self._database.reading() as connection:
                few = touched_since(connection, self._indexes, now, _FEW_PEOPLE) < _FEW_PEOPLE
            if few:
                self._refresh(now)
        finally:
            self._publishing.release()
        if not few:
            self._in_background("index reading", self._catch_up)
        return self._indexes

    def _misses_own_alone(self, since: int, until: int) -> bool:
        """Whether what was changed between two revisions, if anything, waits for its own thread.

        Such a change is not acknowledged: an answer without it is one from before it.
        """
        own = self._own
        return since == until or (self._writers > 0 and own.since <= since < until <= own.until)

    def _about_to_commit(self, began: int, makes: int) -> None:
        """Note which revisions are this process's; only the thread that may write calls it."""
        own = self._own
        self._own = _Own(own.since if own.until == began else began, makes)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Take in what this process commits, before it is acknowledged."""
        with self._counting:
            self._writers += 1
        try:
            try:
                yield
            except BaseException:
                self._own = _Own(0, 0)  # what it would have made another process may make
                raise
            with self._publishing:  # who is opening the indexes may have read before this change
                opened = self._opened
            if opened and self._indexes.revision != self._database.revision():
                self._catch_up()
        finally:
            with self._counting:
                self._writers -= 1

    def _catch_up(self) -> None:
        try:
            self.current()
        except FaceRecError as error:  # the change is made all the same, and a search will say so
            self._own = _Own(0, 0)
            _log.warning("the index could not take in changes: %s", error)

    def _refresh(self, now: str) -> None:
        """Bring the indexes to the present revision; only one thread at a time may."""
        known, changed = self._indexes, 0
        if not self._opened:
            known = self._saver.load(known)
        with self._database.reading() as connection:
            asked_at = time.monotonic()
            present = reading.read_revision(connection)
            if known.revision != present or not known.shows(now):
                if known.revision > present:  # another database took this one's place
                    known = IndexSet(rules=known.rules)
                vault = self._database.vault
                changes = read_changes(connection, vault, known.revision, known.instant, now)
                known = known.updated(changes)
                changed = sum(len(rows) for rows in changes.rows.values())
        self._indexes, self._opened = known, True
        self._asked = _Asked(known.revision, asked_at)
        self._saver.note(changed, known)
        if known.to_merge() is not None:
            self._in_background("index merging", self._merge)

    def _merge(self) -> None:
        """Merge segments until all is well; searches and changes go on meanwhile."""
        while not self._closing:
            waiting = self._indexes.to_merge()
            if waiting is None:
                return
            key, segments = waiting
            merger = merge(segments)
            with self._publishing:
                self._indexes = self._indexes.merged(key, merger)

    def _in_background(self, name: str, work: Callable[[], None]) -> None:
        """Start a thread of that name, unless one is at work."""
        thread = self._background.get(name)
        if (thread is None or not thread.is_alive()) and not self._closing:
            thread = threading.Thread(target=work, name=name)
            self._background[name] = thread
            thread.start()
