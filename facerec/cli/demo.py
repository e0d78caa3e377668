"""``facerec demo``: the main job on real faces, from networks to a gate's call."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from facerec.cli.console import Home, Json, emit, fail, output, stated_failures
from facerec.cli.stage_progress import stage_progress

if TYPE_CHECKING:
    from facerec.demo.check import Check
    from facerec.demo.own_camera import Person
    from facerec.demo.result import DemoResult

__all__ = ["demo"]


_Camera = Annotated[
    str | None,
    typer.Option(
        "--camera",
        metavar="SOURCE",
        help="Use your own camera (0) instead: enrol yourself, then be watched.",
    ),
]
_Name = Annotated[
    str | None, typer.Option("--name", help="With --camera: your name; asked for if missing.")
]
_Consent = Annotated[
    bool,
    typer.Option("--consent", help="With --camera: you agree to be enrolled; asked if missing."),
]
_Seconds = Annotated[
    float, typer.Option("--seconds", min=1, help="With --camera: how long to watch.")
]
_Folder = Annotated[
    Path | None,
    typer.Option(
        "--output",
        help="Folder for the demo's files.  [default: demo in the home]",
        file_okay=False,
        show_default=False,
    ),
]


def demo(
    camera: _Camera = None,
    name: _Name = None,
    consent: _Consent = False,
    seconds: _Seconds = 15.0,
    folder: _Folder = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show the main job on real faces: pull networks, enrol, watch a film, answer a gate.

    Your own gallery is not touched. Exits with 1 if any answer was not the right one.
    """
    with stated_failures():
        from facerec.demo.own_camera import run_camera_demo
        from facerec.demo.scenario import run_demo
        from facerec.settings import load_settings

        settings = load_settings(home)
        root = (folder or settings.home / "demo").expanduser().absolute()
        person = None if camera is None else _person(name, consent)
        with stage_progress(quiet=as_json) as progress:
            if camera is None or person is None:
                result = run_demo(settings, root, progress)
            else:
                result = run_camera_demo(
                    settings, root, progress, spec=camera, person=person, watch_s=seconds
                )
    if as_json:
        emit(_record(result))
    else:
        _print(result)
    if not result.passed:
        raise typer.Exit(1)


def _person(name: str | None, consent: bool) -> "Person":
    """Ask on the terminal who stands there and whether they agree."""
    from facerec.demo.own_camera import Person

    if (name is None or not consent) and not sys.stdin.isatty():
        fail("the camera demo enrols whoever stands there: give --name and --consent")
    if name is None:
        name = typer.prompt("Your name", err=True)
    if not consent:
        question = "May facerec make templates of your face, in the demo's folder alone?"
        if not typer.confirm(question, err=True):
            fail("without consent nobody is enrolled; nothing was recorded")
    return Person(str(name), "given on the terminal of the demo")


def _record(result: "DemoResult") -> dict[str, object]:
    return {
        "passed": result.passed,
        "seconds": round(result.seconds, 1),
        "checks": [{**asdict(check), "passed": check.passed} for check in result.checks],
        "remarks": result.remarks,
        "files": _files(result),
    }


def _files(result: "DemoResult") -> dict[str, str]:
    """Return what lies where, leaving out what this demo did not make."""
    folder = result.folder
    paths = {
        "contact_sheet": folder.sheet,
        "annotated": folder.annotated,
        "film": folder.film,
        "events": folder.events,
        "pictures": folder.pictures,
        "home": folder.home,
    }
    return {what: str(path) for what, path in paths.items() if path.exists()}


def _print(result: "DemoResult") -> None:
    """Print what happened and where the files lie."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("step", "who", "expected", "answered"):
        table.add_column(heading)
    table.add_column("similarity", justify="right", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    for check in result.checks:
        table.add_row(*_cells(check))
    output.print(table)
    output.print(result.remarks)
    output.print("\n[bold]Files[/]")
    for what, path in _files(result).items():
        output.print(f"  {what.replace('_', ' '):<14}  {escape(path)}", soft_wrap=True)
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
        _score(check),
        "" if check.seconds is None else f"{check.seconds:.2f} s",
    ]


def _score(check: "Check") -> str:
    """Return similarity and threshold with the sign that stands between them."""
    if check.similarity is None or check.threshold is None:
        return ""
    sign = ">=" if check.similarity >= check.threshold else "<"
    return f"{check.similarity:.2f} {sign} {check.threshold:.2f}"
