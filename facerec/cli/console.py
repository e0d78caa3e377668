"""What every command shares: its common options, its output, and how it fails."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from facerec.errors import FaceRecError

__all__ = [
    "Home",
    "Json",
    "emit",
    "fail",
    "json_text",
    "messages",
    "output",
    "stated_failures",
    "warn",
]

Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        help="Folder that holds networks, gallery and settings.  [default: ~/.facerec]",
        envvar="FACEREC_HOME",
        show_envvar=True,
        show_default=False,
        file_okay=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else on stdout.")]

output = Console(highlight=False)
"""For what a command answers; stdout."""
messages = Console(stderr=True, highlight=False)
"""For progress, advice and failures; stderr."""


def json_text(record: Any) -> str:
    """Return the JSON form of a record, on one line."""
    return json.dumps(record, default=_plain, allow_nan=False)


def emit(record: Any) -> None:
    """Print one JSON object (or array) on one line of stdout, at once."""
    sys.stdout.write(json_text(record) + "\n")
    sys.stdout.flush()


def warn(message: str, console: Console = messages) -> None:
    """Say what was wrong, and go on: on stderr, or above what another console shows live."""
    console.print(f"[bold red]facerec:[/] {_escape(message)}", soft_wrap=True)


def fail(message: str) -> NoReturn:
    """Say on stderr what was wrong and leave with exit code 1."""
    warn(message)
    raise typer.Exit(1)


@contextmanager
def stated_failures() -> Iterator[None]:
    """Turn every error that facerec raises on purpose into one line and exit code 1."""
    try:
        yield
    except FaceRecError as error:
        fail(str(error))
    except BrokenPipeError:
        raise typer.Exit(0) from None


def _escape(text: str) -> str:
    return text.replace("[", r"\[")


def _plain(value: Any) -> Any:
    """Give json.dumps something it knows for arrays, dates, paths and records."""
    converters: list[tuple[Callable[[Any], bool], Callable[[Any], Any]]] = [
        (is_dataclass, asdict),
        (lambda v: hasattr(v, "tolist"), lambda v: v.tolist()),
        (lambda v: hasattr(v, "isoformat"), lambda v: v.isoformat()),
        (lambda v: isinstance(v, Path), str),
    ]
    for applies, convert in converters:
        if applies(value):
            return convert(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
