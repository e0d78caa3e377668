"""``facerec retention``: erase whose time is up."""

from typing import Annotated

import typer

from facerec.cli.console import Home, Json, emit, output, stated_failures, warn
from facerec.cli.profile_changes import receipt_record

__all__ = ["retention"]

retention = typer.Typer(name="retention", help="Erase whose time is up.", no_args_is_help=True)


@retention.callback()
def _group() -> None:
    """Keep ``run`` a subcommand although it is the only one."""


@retention.command()
def run(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say who would be erased, and why.")
    ] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Erase everybody whose retention is over or whose consent is withdrawn.

    With --json, one object a person.
    """
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.settings import load_settings

        with open_gallery(load_settings(home)) as people:
            due = people.life_cycle.due()
            for one in due:
                record = {"profile_id": one.profile_id, "reason": one.reason.value}
                if not dry_run:
                    receipt = people.life_cycle.erase_due(one.profile_id)
                    if receipt is None:
                        warn(f"{one.profile_id} is not due any more, and was passed over")
                        continue
                    record |= receipt_record(receipt)
                if as_json:
                    emit(record | {"dry_run": dry_run})
                else:
                    verb = "would be" if dry_run else "is"
                    output.print(f"{one.profile_id} {verb} erased: {one.reason.value}")
    if not due and not as_json:
        output.print("nobody is due")
