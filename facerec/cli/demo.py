"""``facerec demo``: the main job on real faces, from networks to a gate's call."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from facerec.cli.console import Home, Json, emit, messages, output, stated_failures

if TYPE_CHECKING:
    from facerec.demo.check import Check
    from facerec.demo.scenario import DemoResult

__all__ = ["demo"]


_REMARKS = """\
Barack Obama is enrolled from a portrait of 2012; the film shows a photograph of 2010, and the gate
is shown one of 2009. Eileen Collins is enrolled from a second view made of the very photograph that
the film shows (mirrored, cropped, turned, relit). Joe Biden is not enrolled: he is the stranger."""


def demo(
    camera: Annotated[
        str | None,
        typer.Option(
            "--camera",
            metavar="SOURCE",
            help="Use your own camera (0) instead: enrol yourself, then be watched.",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="Folder for the demo's files.  [default: demo in the home]",
            file_okay=False,
            show_default=False,
        ),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show the main job on real faces: pull networks, enrol, watch a film, answer a gate.

    Your own gallery is not touched. Exits with 1 if any answer was not the right one.
    """
    with stated_failures():
        from facerec.demo.scenario import run_demo
        from facerec.settings import load_settings

        settings = load_settings(home)
        root = (folder or settings.home / "demo").expanduser().absolute()
        with _progress(shown=not as_json) as progress:
            result = run_demo(settings, root, progress)
    if as_json:
        emit(_record(result))
    else:
        _print(result)
    if not result.passed:
        raise typer.Exit(1)


class _Stages:
    """Shows the present stage, with a bar where its length is known."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=None)

    def stage(self, description: str) -> None:
        """Go on to the next stage."""
        self._bar.update(self._task, description=description, completed=0, total=None)
        if not self._bar.console.is_terminal and not self._bar.disable:
            self._bar.console.print(f"  {description} ...")

    def advance(self, done: int, total: int) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=done, total=total)


@contextmanager
def _progress(*, shown: bool) -> Iterator[_Stages]:
    """Show stages on stderr: a live line on a terminal, else a line a stage."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=messages, transient=True, disable=not shown) as bar:
        yield _Stages(bar)


def _record(result: "DemoResult") -> dict[str, object]:
    files = result.folder
    return {
        "passed": result.passed,
        "seconds": round(result.seconds, 1),
        "checks": [{**asdict(check), "passed": check.passed} for check in result.checks],
        "files": {
            "contact_sheet": str(files.sheet),
            "annotated": str(files.annotated),
            "film": str(files.film),
            "events": str(files.events),
            "pictures": str(files.pictures),
            "home": str(files.home),
        },
    }


def _print(result: "DemoResult") -> None:
    """Print what happened and where the files lie."""
    table = Table(title="What was asked, and what came", title_style="bold", pad_edge=False)
    for heading in ("step", "who", "expected", "answered"):
        table.add_column(heading)
    for heading in ("similarity", "needed", "time"):
        table.add_column(heading, justify="right")
    for check in result.checks:
        table.add_row(*_cells(check))
    output.print(table)
    output.print(_REMARKS)
    output.print("\n[bold]Files[/] (photographs: where from and whose, see docs/demo-pictures.md)")
    files = result.folder
    for what, path in (
        ("contact sheet", files.sheet),
        ("annotated film", files.annotated),
        ("film", files.film),
        ("decisions", files.events),
        ("photographs", files.pictures),
        ("gallery", files.home),
    ):
        output.print(f"  {what:<15}{escape(str(path))}", soft_wrap=True)
    wrong = sum(not check.passed for check in result.checks)
    verdict = f"[bold red]{wrong} answer(s) wrong[/]" if wrong else "[bold green]All as expected[/]"
    output.print(f"\n{verdict}, in {result.seconds:.0f} s.")


def _cells(check: "Check") -> list[str]:
    colour = "green" if check.passed else "bold red"
    return [
        check.step,
        escape(check.subject),
        escape(check.expected),
        f"[{colour}]{escape(check.answered)}[/]",
        "" if check.similarity is None else f"{check.similarity:.3f}",
        "" if check.threshold is None else f"{check.threshold:.3f}",
        "" if check.seconds is None else f"{check.seconds:.2f} s",
    ]
