"""The progress bar of work on many things."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from facerec.cli.console import messages

__all__ = ["progress_over"]


class _RateColumn(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """Return the text of the column."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s", style="progress.data.speed")


@contextmanager
def progress_over(total: int, what: str, *, shown: bool = True) -> Iterator[Callable[[int], None]]:
    """Show on stderr, if it is a terminal, how far work is; give a function that advances it."""
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    disable = not (shown and messages.is_terminal)
    with Progress(*columns, console=messages, transient=True, disable=disable) as progress:
        task = progress.add_task(what, total=total)

        def advance(count: int) -> None:
            progress.advance(task, count)

        yield advance
