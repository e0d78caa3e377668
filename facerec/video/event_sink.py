"""Where events go when they leave the process."""

from collections.abc import Mapping
from typing import Any, Protocol

__all__ = ["EventSink", "left_over"]


class EventSink(Protocol):
    """Takes events; never raises and never waits for a network, so that it stops no recognition."""

    @property
    def where(self) -> str:
        """Where events go, redacted: fit for logs."""
        ...

    @property
    def waiting(self) -> int:
        """Events that the receiver has not taken yet."""
        ...

    @property
    def lost(self) -> int:
        """Events that gave way to newer ones, or that a disk had no room for."""
        ...

    @property
    def trouble(self) -> str:
        """Why the last attempt to deliver failed, without credentials; "" when it did not."""
        ...

    def put(self, event: Mapping[str, Any]) -> None:
        """Take one CloudEvent in JSON form."""
        ...

    def close(self) -> None:
        """Deliver what can be delivered now, and let go; the rest waits on disk."""
        ...


def left_over(sink: EventSink) -> str:
    """Say in one line what a closed sink did not deliver, and why; "" when it delivered all."""
    said = []
    if sink.waiting:
        said.append(f"{sink.waiting} event(s) wait, and are sent by the next that sends there")
    if sink.lost:
        said.append(f"{sink.lost} event(s) were lost")
    if not said:
        return ""
    why = f" ({sink.trouble})" if sink.trouble else ""
    return f"{sink.where}: {'; '.join(said)}{why}"
