"""``facerec operating-points``: what thresholds are known, and which are in use."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.calibrate import describe, print_described
from facerec.cli.console import Home, Json, emit, output, stated_failures
from facerec.cli.recording import record_in_home
from facerec.cli.refused_rates import warn_where_refused

if TYPE_CHECKING:
    from facerec.decision.operating_point_store import OperatingPointStore

__all__ = ["operating_points"]

operating_points = typer.Typer(
    name="operating-points",
    help="List, show and choose the thresholds that decisions are made at.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="Name of an operating point.", show_default=False)]


@operating_points.command("list")
def list_points(home: Home = None, as_json: Json = False) -> None:
    """List the operating points that came with facerec and those calibrated here."""
    with stated_failures():
        from facerec.decision.factory_operating_point import factory_operating_points
        from facerec.decision.operating_point_store import FACTORY

        store = _store(home)
        used = store.in_use_name()
        records = [
            {
                "name": point.name,
                "in_use": used == (FACTORY if point.provenance.kind == "factory" else point.name),
                "embedding_space": point.embedding_space,
                "kind": point.provenance.kind,
                "people": point.provenance.people,
                "comparisons": point.provenance.comparisons,
                "date": point.provenance.date,
            }
            for point in (*factory_operating_points(), *store.all())
        ]
        if as_json:
            emit(records)
            return
        for record in records:
            mark = "*" if record["in_use"] else " "
            output.print(
                f"{mark} {record['name']}  {record['embedding_space']}  {record['kind']}  "
                f"{record['people']} people  {record['date']}",
                soft_wrap=True,
                markup=False,
            )


@operating_points.command()
def show(name: Name, home: Home = None, as_json: Json = False) -> None:
    """Print what an operating point says, and where it was measured."""
    with stated_failures():
        from facerec.decision.factory_operating_point import factory_operating_points

        store = _store(home)
        shipped = {point.name: point for point in factory_operating_points()}
        record = describe(shipped[name] if name in shipped else store.get(name))
        if as_json:
            emit(record)
        else:
            print_described(record)


@operating_points.command()
def use(name: Name, home: Home = None, as_json: Json = False) -> None:
    """Decide at an operating point from now on; "factory" for the one that came with facerec."""
    with stated_failures():
        from facerec.decision.operating_point_store import FACTORY
        from facerec.gallery.audit.event import AuditEvent, AuditKind
        from facerec.settings import load_settings

        store, settings = _store(home), load_settings(home)
        store.use(name)
        event = AuditEvent(AuditKind.OPERATING_POINT_SET, operating_point=name)
        record_in_home(settings, event)
        if as_json:
            emit({"in_use": name})
        else:
            output.print(f"decisions are now made at {name}", markup=False)
        if name != FACTORY:
            warn_where_refused(store.get(name), settings)


def _store(home: Path | None) -> "OperatingPointStore":
    from facerec.decision.operating_point_store import OperatingPointStore
    from facerec.settings import load_settings

    return OperatingPointStore(load_settings(home).operating_points_dir)
