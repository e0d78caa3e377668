"""Delivering events in order over a network that comes and goes."""

import json
from collections.abc import Callable, Mapping
from random import Random
from threading import Event, Thread
from time import monotonic
from typing import Any

from facerec.video.backoff import Backoff
from facerec.video.event_spool import EventSpool

__all__ = ["SpooledSink"]

_LOOK_EVERY_S = 0.5
_LAST_S = 5.0
"""How long closing goes on delivering to a receiver that takes events."""


class SpooledSink:
    """Puts events on disk, and hands them to a receiver one by one until it takes each.

    An event whose receipt was lost is sent again: receivers tell repetitions by its id.
    """

    def __init__(
        self, spool: EventSpool, deliver: Callable[[str], None], backoff: Backoff, *, where: str
    ) -> None:
        """Begin at once.

        Args:
            spool: Where events wait.
            deliver: Sends an event's JSON and returns when it was taken; raises OSError if not.
            backoff: Waits between attempts.
            where: The receiver, redacted.
        """
        self.where = where
        self._spool = spool
        self._deliver = deliver
        self._backoff = backoff
        self._stop = Event()
        self._unwritten = 0
        self._trouble = ""
        self._thread = Thread(target=self._run, name=f"send to {where}", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Events that were not taken yet."""
        return len(self._spool)

    @property
    def lost(self) -> int:
        """Events that gave way to newer ones, or for which the disk had no room."""
        return self._spool.lost + self._unwritten

    @property
    def trouble(self) -> str:
        """Why the last attempt failed; "" when it did not."""
        return self._trouble

    def put(self, event: Mapping[str, Any]) -> None:
        """Take an event."""
        try:
            self._spool.put(json.dumps(event, allow_nan=False))
        except OSError as error:
            self._unwritten += 1
            self._trouble = f"the queue cannot be written: {error.strerror}"

    def close(self) -> None:
        """Deliver what waits, as long as the receiver takes it; the next process does the rest."""
        self._stop.set()
        self._thread.join(2 * _LAST_S)

    def _run(self) -> None:
        chance, failures = Random(), 0
        while not self._stop.is_set():
            try:
                self._deliver_first(_LOOK_EVERY_S)
                failures = 0
            except OSError as error:
                failures += 1
                self._trouble = str(error)
                self._stop.wait(self._backoff.wait_s(failures, chance))
        if not failures:
            self._deliver_last()

    def _deliver_first(self, timeout_s: float) -> bool:
        """Deliver the event that waits longest; return whether there was one.

        Raises:
            OSError: it was not taken, or cannot be read.
        """
        waiting = self._spool.first(timeout_s)
        if waiting is None:
            return False
        number, line = waiting
        self._deliver(line)
        self._spool.done(number)
        self._trouble = ""
        return True

    def _deliver_last(self) -> None:
        """Deliver what came just before the end."""
        until_s = monotonic() + _LAST_S
        try:
            while monotonic() < until_s and self._deliver_first(0.0):
                pass
        except OSError as error:
            self._trouble = str(error)
