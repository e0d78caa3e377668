"""``facerec enroll``: enrol a person from pictures, or a folder of people."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from facerec.cli.console import Home, Json, emit, messages, output, stated_failures, warn
from facerec.cli.options import InGallery, Largest

if TYPE_CHECKING:
    from facerec.cli.enrolling import EnrolmentOptions, EnrolmentResult, Person
    from facerec.gallery.gallery import Gallery
    from facerec.settings import Settings

__all__ = ["enroll"]


def enroll(
    name: Annotated[str | None, typer.Argument(help="The person's name.")] = None,
    images: Annotated[list[Path] | None, typer.Argument(help="Pictures of the person.")] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--from", help="Enrol many: a folder that holds one folder a person."),
    ] = None,
    gallery: InGallery = None,
    create_gallery: Annotated[
        bool, typer.Option("--create-gallery", help="Make galleries that do not exist yet.")
    ] = False,
    profile_id: Annotated[
        str | None, typer.Option("--id", help="Id for the person.  [default: a random one]")
    ] = None,
    consent: Annotated[
        str, typer.Option("--consent", help="Where the evidence of the person's consent is.")
    ] = "",
    largest: Largest = False,
    force: Annotated[
        bool, typer.Option("--force", help="Take the largest face whatever its quality.")
    ] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Enrol a person from pictures that show them alone, or everybody in a folder.

    A person who was enrolled before under this name from one of these pictures is not enrolled
    twice; pictures that are new are added.
    """
    with stated_failures():
        from facerec.cli.enrolling import EnrolmentOptions, people_of_folder, person_of_pictures
        from facerec.settings import load_settings

        if (folder is None) == (name is None):
            raise typer.BadParameter("give NAME and IMAGE..., or --from DIR")
        if name is not None and not images:
            raise typer.BadParameter("give at least one picture after the name")
        if folder is not None and profile_id is not None:
            raise typer.BadParameter("--id is for one person; --from enrols many")
        settings = load_settings(home)
        galleries = tuple(gallery or [settings.gallery])
        options = EnrolmentOptions(galleries, profile_id, consent, largest, force)
        if folder is not None:
            people = people_of_folder(folder)
        else:
            people = (person_of_pictures(name or "", images or []),)
        failed = _enrol_all(settings, people, options, create_gallery, as_json)
        if failed:
            raise typer.Exit(1)


def _enrol_all(
    settings: "Settings",
    people: "Sequence[Person]",
    options: "EnrolmentOptions",
    create_gallery: bool,
    as_json: bool,
) -> int:
    """Enrol people one after the other and report each; return how many could not be enrolled."""
    from facerec.assembly import build_analyzer, open_gallery
    from facerec.cli.enrolling import Enroller
    from facerec.cli.progress import progress_over

    with open_gallery(settings) as gallery:
        if not create_gallery:
            gallery.require_galleries(options.galleries)
        analyzer = build_analyzer(settings)
        if create_gallery:
            _create_galleries(gallery, options.galleries)
        enroller = Enroller(settings, analyzer, gallery, options)
        failed = 0
        pictures = sum(len(person.pictures) for person in people)
        with progress_over(pictures, "pictures", shown=len(people) > 1) as advance:
            for person in people:
                result = enroller.enrol(person)
                _report(result, as_json)
                failed += result.profile_id is None
                advance(len(person.pictures))
    if len(people) > 1 and not as_json:
        messages.print(f"{len(people) - failed} of {len(people)} people are enrolled")
    return failed


def _create_galleries(gallery: "Gallery", names: Iterable[str]) -> None:
    for name in names:
        gallery.create_gallery(name)


def _report(result: "EnrolmentResult", as_json: bool) -> None:
    for rejected in result.rejected:
        warn(f"{rejected.image} is not used: {rejected.detail or ', '.join(rejected.reasons)}")
    if result.profile_id is None:
        warn(f"{result.name} could not be enrolled: {result.problem}")
    if as_json:
        emit(
            {
                "profile_id": result.profile_id,
                "name": result.name,
                "templates": result.templates,
                "already_enrolled": result.already_enrolled,
                "rejected": [
                    {"image": str(rejected.image), "reasons": rejected.reasons}
                    for rejected in result.rejected
                ],
            }
        )
    elif result.profile_id is not None:
        what = "was already enrolled" if result.already_enrolled else "is enrolled"
        output.print(
            f"{escape(result.name)} {what} as [bold]{result.profile_id}[/] "
            f"({result.templates} template(s))",
            soft_wrap=True,
        )
