"""How the people are called who are recognised again and again."""

import threading
from collections.abc import Callable
from datetime import datetime

from facerec.gallery.storage.database import Database
from facerec.gallery.storage.profile_reading import read_profile
from facerec.gallery.times import stored

__all__ = ["DisplayNames"]

_MOST = 1000
"""Names that are kept: of those who pass the gates of one server in an hour or two."""


class DisplayNames:
    """The names of those who were asked about since the last change; safe between threads.

    Whatever changes, whoever changes it, all are forgotten: nobody is called by an old name, and
    none who was erased is kept beyond the next question.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        """Know nobody yet."""
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._revision = -1
        self._names: dict[str, str] = {}

    def of(self, profile_id: str) -> str:
        """Return the name of a person.

        Raises:
            ProfileNotFoundError: no profile has that id.
        """
        revision = self._database.revision()
        with self._lock:
            if revision != self._revision:
                self._revision = revision
                self._names.clear()
            known = self._names.get(profile_id)
        return self._read(profile_id) if known is None else known

    def _read(self, profile_id: str) -> str:
        with self._database.reading() as connection:
            now = stored(self._clock())
            profile = read_profile(connection, self._database.vault, profile_id, now)
        with self._lock:
            # One that was read before another thread saw a change must not be kept beyond it.
            if profile.revision == self._revision:
                if len(self._names) == _MOST:
                    self._names.clear()
                self._names[profile_id] = profile.name
        return profile.name
