"""Delivering events in order over a network that comes and goes."""

import json
from collections.abc import Callable, Mapping
from random import Random
from threading import Event, Thread
from typing import Any

from facerec.video.backoff import Backoff
from facerec.video.event_spool import EventSpool

__all__ = ["SpooledSink"]

_LOOK_EVERY_S = 0.5


class SpooledSink:
    """Puts events on disk, and hands them to a receiver one by one until it takes each.

    An event whose receipt was lost is sent again: receivers tell repetitions by its id.
    """

    def __init__(
        self, spool: EventSpool, deliver: Callable[[str], None], backoff: Backoff, *, name: str
    ) -> None:
        """Begin at once.

        Args:
            spool: Where events wait.
            deliver: Sends an event's JSON and returns when it was taken; raises OSError if not.
            backoff: Waits between attempts.
            name: Of the thread.
        """
        self._spool = spool
        self._deliver = deliver
        self._backoff = backoff
        self._stop = Event()
        self._unwritten = 0
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Events that were not taken yet."""
        return len(self._spool)

    @property
    def lost(self) -> int:
        """Events that gave way to newer ones, or for which the disk had no room."""
        return self._spool.lost + self._unwritten

    def put(self, event: Mapping[str, Any]) -> None:
        """Take an event."""
        try:
            self._spool.put(json.dumps(event, allow_nan=False))
        except OSError:
            self._unwritten += 1

    def close(self) -> None:
        """Stop delivering; what waits is delivered by the next process with this spool."""
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        chance, failures = Random(), 0
        while not self._stop.is_set():
            try:
                waiting = self._spool.first(_LOOK_EVERY_S)
                if waiting is None:
                    continue
                number, line = waiting
                self._deliver(line)
                self._spool.done(number)
                failures = 0
            except OSError:
                failures += 1
                self._stop.wait(self._backoff.wait_s(failures, chance))
