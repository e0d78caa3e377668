"""``facerec audit``: who did and decided what, and whether that record is as it was written."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from facerec.cli.console import Home, Json, emit, fail, output, stated_failures
from facerec.cli.times import time_of

if TYPE_CHECKING:
    from facerec.gallery.audit.entry import AuditEntry
    from facerec.gallery.audit.reading import AuditFilter
    from facerec.gallery.audit.signing import SignedHead
    from facerec.gallery.audit.verifying import AuditReport

__all__ = ["audit"]

audit = typer.Typer(
    name="audit", help="Who did and decided what, and proof of it.", no_args_is_help=True
)

_FAULTS_SHOWN = 20
_WIDTH = 300


Since = Annotated[
    str, typer.Option("--since", help="From this time on, such as 2030-01-31T18:00, UTC.")
]
Until = Annotated[str, typer.Option("--until", help="Before this time, such as 2030-01-31, UTC.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help="Such as identified or profile_erased; several times for more."),
]
About = Annotated[str | None, typer.Option("--profile", help="About this enrolled person.")]
Client = Annotated[
    str, typer.Option("--client", help="By this operator or client, or kind: certificate.")
]
Outcome = Annotated[str, typer.Option("--outcome", help="With this outcome.")]
Request = Annotated[str, typer.Option("--request", help="Of this call.")]
After = Annotated[int, typer.Option("--after", min=0, help="Above this number.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="The newest so many.")]


@audit.command("list")
def list_entries(
    since: Since = "",
    until: Until = "",
    kind: Kinds = None,
    profile: About = None,
    client: Client = "",
    outcome: Outcome = "",
    request: Request = "",
    after: After = 0,
    limit: Limit = 50,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List what was done and decided, the newest last.

    People appear by their ids while they are enrolled; of who was erased a pseudonym is left that
    nobody can resolve. With --json, one object an entry.
    """
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.gallery.audit.reading import AuditFilter
        from facerec.settings import load_settings

        wanted = AuditFilter(
            since=time_of(since) if since else None,
            until=time_of(until) if until else None,
            kinds=_kinds(kind or []),
            profile_id=profile,
            actor=client,
            request_id=request,
            outcome=outcome,
        )
        with open_gallery(load_settings(home)) as people:
            entries = people.journal.read(
                wanted, after=after, limit=limit, newest=True, name_people=True
            )
    if as_json:
        for entry in entries:
            emit(_record(entry))
        return
    _print_table(entries, wanted)


@audit.command("verify")
def verify_journal(
    heads: Annotated[
        Path | None,
        typer.Option("--heads", help="File of signed heads that were kept (audit head --json)."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Check that no entry was changed, removed, inserted or moved, and that no end was cut off.

    Exit code 1 if anything is wrong. With --heads, heads that were kept apart from the database
    are held against it too: they also show what somebody with the master key has rewritten.
    """
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.settings import load_settings

        kept = () if heads is None else _read_heads(heads)
        with open_gallery(load_settings(home)) as people:
            report = people.journal.verify(kept)
    if as_json:
        emit({"sound": report.sound, **asdict(report)})
    else:
        _print_report(report)
    if not report.sound:
        raise typer.Exit(1)


@audit.command("head")
def show_head(home: Home = None, as_json: Json = False) -> None:
    """Print the signed head of the journal, to be kept where whoever runs facerec cannot write."""
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.settings import load_settings

        with open_gallery(load_settings(home)) as people:
            head = people.journal.head()
    if head is None:
        fail("the journal has no signed head; run facerec audit verify")
    if as_json:
        emit(head)
        return
    output.print(f"entry {head.number}, signed {head.signed} by key {head.key_id}")
    output.print(f"  sha256     {head.sha256}")
    output.print(f"  signature  {head.signature}", soft_wrap=True)


def _kinds(words: list[str]) -> "tuple[Any, ...]":
    from facerec.errors import GalleryError
    from facerec.gallery.audit.event import AuditKind

    known = [kind.value for kind in AuditKind]
    for word in words:
        if word not in known:
            raise GalleryError(f"no entry is of the kind {word!r}; there are: {', '.join(known)}")
    return tuple(AuditKind(word) for word in words)


def _read_heads(path: Path) -> "tuple[SignedHead, ...]":
    """Read signed heads, one JSON object a line."""
    import json

    from facerec.errors import GalleryError
    from facerec.gallery.audit.signing import SignedHead

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return tuple(SignedHead(**json.loads(line)) for line in lines if line.strip())
    except OSError as error:
        raise GalleryError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise GalleryError(
            f"{path} cannot be read as signed heads; each line must be what "
            "`facerec audit head --json` printed"
        ) from error


def _record(entry: "AuditEntry") -> dict[str, Any]:
    event = asdict(entry.event)
    return {
        "number": entry.number,
        "recorded": entry.recorded,
        "kind": event.pop("kind"),
        "actor": entry.actor,
        "request_id": entry.request_id,
        "profile_id": event.pop("profile_id"),
        "pseudonym": entry.subject or None,
        **event,
        "sha256": entry.sha256,
    }


def _print_table(entries: "tuple[AuditEntry, ...]", wanted: "AuditFilter") -> None:
    from rich.console import Console
    from rich.table import Table

    if not entries:
        output.print("no such entry")
        return
    table = Table("no.", "UTC", "by", "what", "whom", "outcome", "more", box=None)
    for column in table.columns:
        column.no_wrap = True
    for entry in entries:
        event = entry.event
        whom = event.profile_id or (f"({entry.subject[:8]})" if entry.subject else "")
        table.add_row(
            str(entry.number),
            f"{entry.recorded:%Y-%m-%d %H:%M:%S}",
            escape(entry.actor),
            event.kind.value,
            escape(whom),
            event.outcome,
            escape(_more(entry)),
        )
    # A line an entry, however narrow the terminal: what is cut off is no record.
    Console(highlight=False, width=max(output.width, _WIDTH)).print(table)


def _more(entry: "AuditEntry") -> str:
    """Say the rest of an entry in a few words."""
    event = entry.event
    score = "" if event.score is None else f"{event.score:.3f}"
    bar = "" if event.threshold is None else f"/{event.threshold:.3f}"
    words = [*event.reasons, score + bar, event.place, event.note]
    return "; ".join(word for word in words if word)


def _print_report(report: "AuditReport") -> None:
    if report.sound:
        output.print(
            f"[green]sound[/]: {report.entries} entries, each follows the one before it; "
            f"{report.heads} signed head(s) fit",
            soft_wrap=True,
        )
    for fault in report.faults[:_FAULTS_SHOWN]:
        output.print(f"[red]{fault.kind}[/]: {escape(fault.text)}", soft_wrap=True)
    if len(report.faults) > _FAULTS_SHOWN:
        output.print(f"... and {len(report.faults) - _FAULTS_SHOWN} more; see --json")
    if report.open_recordings:
        output.print(
            f"{len(report.open_recordings)} process(es) began to record decisions and did not end "
            "it: running still, or killed; of a killed one the last moments may be missing",
            soft_wrap=True,
        )
