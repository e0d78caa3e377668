"""Where events go when they leave the process."""

from collections.abc import Mapping
from typing import Any, Protocol

__all__ = ["EventSink"]


class EventSink(Protocol):
    """Takes events; never raises and never waits for a network, so that it stops no recognition."""

    @property
    def waiting(self) -> int:
        """Events that the receiver has not taken yet."""
        ...

    @property
    def lost(self) -> int:
        """Events that gave way to newer ones, or that a disk had no room for."""
        ...

    def put(self, event: Mapping[str, Any]) -> None:
        """Take one CloudEvent in JSON form."""
        ...

    def close(self) -> None:
        """Let go of files and connections; what was not delivered waits on disk."""
        ...
