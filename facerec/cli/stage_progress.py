"""Showing the stages of long work on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from facerec.cli.console import messages

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from facerec.models.progress import Progress

__all__ = ["stage_progress"]


@contextmanager
def stage_progress(*, quiet: bool) -> Iterator["Progress"]:
    """Show stages as they come: a live bar on a terminal, else a line a stage; nothing if quiet."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    disable = quiet or not messages.is_terminal
    with Progress(*columns, console=messages, transient=True, disable=disable) as bar:
        yield _Stages(bar, lines=not quiet and not messages.is_terminal)


class _Stages:
    """The stage at hand, with its share done where that is told."""

    def __init__(self, bar: "Bar", *, lines: bool) -> None:
        self._bar = bar
        self._lines = lines
        self._task = bar.add_task("starting", total=None)

    def stage(self, description: str) -> None:
        # A bar that has a length cannot be made indefinite again: each stage has its own.
        self._bar.remove_task(self._task)
        self._task = self._bar.add_task(description, total=None)
        if self._lines:
            messages.print(f"  {description} ...")

    def advance(self, done: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total)
