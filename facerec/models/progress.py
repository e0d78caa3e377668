"""How long work on networks tells what it is doing."""

from typing import Protocol

__all__ = ["Progress", "Silent"]


class Progress(Protocol):
    """Told of each stage of a long piece of work, and of the share done where it is known."""

    def stage(self, description: str) -> None:
        """Take note that the work has come to `description`; how long it takes is not known."""
        ...

    def advance(self, done: int, total: int) -> None:
        """Take note that `done` of `total` units of the present stage are done."""
        ...


class Silent:
    """Tells nobody."""

    def stage(self, description: str) -> None:
        """Do nothing."""

    def advance(self, done: int, total: int) -> None:
        """Do nothing."""
