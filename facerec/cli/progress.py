"""The progress bar of work on many things."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from facerec.cli.console import messages

__all__ = ["progress_over"]


@contextmanager
def progress_over(total: int, what: str, *, shown: bool = True) -> Iterator[Callable[[int], None]]:
    """Show on stderr, if it is a terminal, how far work is; give a function that advances it."""
    # Imported here, since commands without a bar are also loaded when one starts.
    from rich import progress

    from facerec.cli.rate_column import RateColumn

    columns = (
        progress.TextColumn(what),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        RateColumn(),
        progress.TextColumn("left:"),
        progress.TimeRemainingColumn(),
    )
    disable = not (shown and messages.is_terminal)
    with progress.Progress(*columns, console=messages, transient=True, disable=disable) as bar:
        task = bar.add_task(what, total=total)

        def advance(count: int) -> None:
            bar.advance(task, count)

        yield advance
