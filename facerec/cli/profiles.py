"""``facerec profiles``: who is enrolled."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from facerec.cli.console import Home, Json, emit, output, stated_failures
from facerec.cli.profile_changes import erase_profile, export_profile, list_receipts
from facerec.cli.profile_pictures import add_pictures
from facerec.cli.profile_record import profile_record, short_record, state_of
from facerec.cli.profile_update import ProfileId, update_profile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from facerec.gallery.profile import Profile, Template

__all__ = ["profiles"]

profiles = typer.Typer(name="profiles", help="Enrolled people.", no_args_is_help=True)
profiles.command("add-pictures")(add_pictures)
profiles.command("update")(update_profile)
profiles.command("export")(export_profile)
profiles.command("erase")(erase_profile)
profiles.command("receipts")(list_receipts)


@profiles.command("list")
def list_profiles(
    gallery: Annotated[
        str | None, typer.Option("--gallery", help="Only the people of this gallery.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List the people who are enrolled."""
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.settings import load_settings

        with open_gallery(load_settings(home)) as people:
            found = people.list(gallery)
    if as_json:
        emit([short_record(profile) for profile in found])
        return
    from rich.table import Table

    table = Table("id", "name", "galleries", "state", "templates")
    for profile in found:
        table.add_row(
            profile.profile_id,
            escape(profile.name),
            ", ".join(profile.galleries),
            state_of(profile),
            str(profile.templates),
        )
    output.print(table if found else "nobody is enrolled; see: facerec enroll --help")


@profiles.command("show")
def show_profile(
    profile_id: ProfileId,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show what is held of one person."""
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.settings import load_settings

        with open_gallery(load_settings(home)) as people:
            profile, templates = people.get(profile_id), people.templates(profile_id)
    if as_json:
        emit(profile_record(profile) | {"references": [_reference(t) for t in templates]})
        return
    for line in _lines(profile, templates):
        output.print(line, soft_wrap=True)


def _lines(profile: "Profile", templates: "Sequence[Template]") -> "Iterator[str]":
    """Say what is held of a person, a line each; what is not held has none."""
    yield f"[bold]{escape(profile.name)}[/] ({profile.profile_id}), {state_of(profile)}"
    kept = profile.retention
    unseen = f"after {kept.erase_unseen_days} days unseen" if kept.erase_unseen_days else ""
    facts = {
        "external id": escape(profile.external_id),
        "galleries": ", ".join(profile.galleries),
        "consent": escape(profile.consent) or "none recorded",
        "attributes": escape(", ".join(f"{k}={v}" for k, v in profile.attributes.items())),
        "enrolled": _moment(profile.created),
        "valid from": _moment(profile.valid_from),
        "valid until": _moment(profile.valid_until),
        "last seen": _moment(profile.last_seen),
        "to be erased": ", ".join(filter(None, (_moment(kept.erase_on), unseen))),
    }
    for what, fact in facts.items():
        if fact:
            yield f"  {what:<12} {fact}"
    for template in templates:
        overridden = f", accepted although: {', '.join(template.accepted)}"
        yield (
            f"  template     {template.template_id}: {escape(template.source)}, "
            f"quality {template.quality:.2f}, {template.embedding_space}"
            f"{overridden if template.accepted else ''}"
        )


def _moment(time: "datetime | None") -> str:
    return "" if time is None else f"{time:%Y-%m-%d %H:%M} UTC"


@profiles.command("galleries")
def list_galleries(home: Home = None, as_json: Json = False) -> None:
    """List the galleries and how many people each has."""
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.settings import load_settings

        with open_gallery(load_settings(home)) as people:
            counts = dict(sorted(people.people_by_gallery().items()))
    if as_json:
        emit([{"gallery": name, "profiles": count} for name, count in counts.items()])
        return
    for name, count in counts.items():
        output.print(f"{name}: {count}")


def _reference(template: "Template") -> dict[str, Any]:
    """Return what may be shown of a template: never the embedding itself."""
    return {
        "template_id": template.template_id,
        "embedding_space": template.embedding_space,
        "quality": template.quality,
        "source": template.source,
        "accepted": template.accepted,
        "created": template.created,
    }
