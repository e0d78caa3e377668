"""Saying once when a receiver takes no events, and once when it takes them again."""

import logging
from collections.abc import Sequence

from facerec.video.event_sink import EventSink

__all__ = ["SinkWatch"]


class SinkWatch:
    """Remembers which receivers are in trouble; not for several threads."""

    def __init__(self, sinks: Sequence[EventSink], log: logging.Logger) -> None:
        """Take all for well; say otherwise to `log`."""
        self._sinks = tuple(sinks)
        self._log = log
        self._troubled: set[int] = set()

    def look(self) -> None:
        """Look at each receiver, and log what has changed."""
        for number, sink in enumerate(self._sinks):
            trouble = sink.trouble
            if bool(trouble) == (number in self._troubled):
                continue
            if trouble:
                self._troubled.add(number)
                self._log.warning(
                    "events to %s are not taken: %s; %d wait, %d were lost, and it is tried again",
                    *(sink.where, trouble, sink.waiting, sink.lost),
                )
            else:
                self._troubled.remove(number)
                self._log.warning("events to %s are taken again", sink.where)
