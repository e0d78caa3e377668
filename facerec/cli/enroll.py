"""``facerec enroll``: enrol a person from pictures, or a folder or table of people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from facerec.cli import enrolment_options as option
from facerec.cli.console import Home, Json, emit, messages, output, stated_failures, warn
from facerec.cli.options import InGallery, Largest

if TYPE_CHECKING:
    from facerec.cli.enrolling import Enroller, EnrolmentOptions
    from facerec.cli.enrolment_report import EnrolmentReport
    from facerec.cli.enrolment_result import EnrolmentResult
    from facerec.cli.people_to_enrol import Person
    from facerec.gallery.gallery import Gallery
    from facerec.settings import Settings

__all__ = ["enroll", "show_result", "warn_of_others"]


def enroll(
    name: option.Name = None,
    images: option.Images = None,
    source: option.From = None,
    gallery: InGallery = None,
    create_gallery: option.CreateGallery = False,
    profile_id: option.NewId = None,
    external_id: option.ExternalId = "",
    consent: option.EvidenceOfConsent = "",
    attribute: option.Attribute = None,
    valid_from: option.ValidFrom = None,
    valid_until: option.ValidUntil = None,
    largest: Largest = False,
    accept_poor: option.AcceptPoor = False,
    accept_duplicate: option.AcceptDuplicate = False,
    accept_outliers: option.AcceptOutliers = False,
    report: option.Report = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Enrol a person from pictures that show them alone, or everybody in a folder or table.

    Who has the external id already, or the name and one of these pictures, is not enrolled twice;
    pictures that are new are added. So what was broken off goes on when it is given again.
    """
    from facerec.cli.enrolling import EnrolmentOptions
    from facerec.decision.enrolment_check import Overrides
    from facerec.settings import load_settings

    overrides = Overrides(accept_duplicate, accept_outliers)
    with stated_failures():
        details = _Details(profile_id, external_id, attribute or [], valid_from, valid_until)
        people = _people(name, images or [], source, details)
        settings = load_settings(home)
        galleries = tuple(gallery or [settings.gallery])
        options = EnrolmentOptions(galleries, consent, largest, accept_poor, overrides)
        if _enrol_all(settings, people, options, create_gallery, report, as_json):
            raise typer.Exit(1)


@dataclass(frozen=True)
class _Details:
    """What the options say of the one person who is named."""

    profile_id: str | None
    external_id: str
    attributes: Sequence[str]
    valid_from: str | None
    valid_until: str | None

    def of(self, person: "Person") -> "Person":
        """Return a person with these details.

        Raises:
            GalleryError: one of them is not fit.
        """
        from facerec.cli.attributes import with_attributes
        from facerec.cli.times import validity
        from facerec.gallery.identifiers import check_profile_id

        begins, ends = validity(self.valid_from, self.valid_until)
        return replace(
            person,
            profile_id=None if self.profile_id is None else check_profile_id(self.profile_id),
            external_id=self.external_id,
            attributes=with_attributes({}, self.attributes),
            valid_from=begins,
            valid_until=ends,
        )


def _people(
    name: str | None, images: Sequence[Path], source: Path | None, details: _Details
) -> "tuple[Person, ...]":
    """Return whom to enrol.

    Raises:
        SourceError: the folder or table is not fit.
        GalleryError: the name or a detail of one person is not fit.
    """
    from facerec.cli.people_to_enrol import people_from, person_of_pictures

    if (source is None) == (name is None):
        raise typer.BadParameter("give NAME and IMAGE..., or --from a folder or .csv file")
    if source is not None:
        if details != _Details(None, "", [], None, None):
            raise typer.BadParameter(
                "--id, --external-id, --attribute and --valid-... are for one person; --from "
                "enrols many, and takes them from the columns of a .csv file"
            )
        return people_from(source)
    if not images:
        raise typer.BadParameter("give at least one picture after the name")
    return (details.of(person_of_pictures(name or "", images)),)


def _enrol_all(
    settings: "Settings",
    people: "Sequence[Person]",
    options: "EnrolmentOptions",
    create_gallery: bool,
    report: Path | None,
    as_json: bool,
) -> int:
    """Enrol people one after the other and report each; return how many could not be enrolled."""
    from facerec.assembly import build_analyzer, build_enrolment_check, open_gallery
    from facerec.cli.enrolling import Enroller
    from facerec.cli.enrolment_report import EnrolmentReport

    written = None if report is None else EnrolmentReport(report)
    with open_gallery(settings) as gallery:
        if not create_gallery:
            gallery.require_galleries(options.galleries)
        analyzer = build_analyzer(settings)
        check = build_enrolment_check(settings, gallery, analyzer.embedding_space)
        warn_of_others(gallery, analyzer.embedding_space)
        if create_gallery:
            for name in _galleries_of(people, options):
                gallery.create_gallery(name)
        enroller = Enroller(settings, analyzer, gallery, options, check)
        try:
            failed = _report_each(enroller, people, written, as_json)
        finally:
            if written is not None:
                written.write()
    if len(people) > 1 and not as_json:
        messages.print(f"{len(people) - failed} of {len(people)} people are enrolled")
    return failed


def _report_each(
    enroller: "Enroller",
    people: "Sequence[Person]",
    report: "EnrolmentReport | None",
    as_json: bool,
) -> int:
    from facerec.cli.progress import progress_over

    failed = 0
    pictures = sum(len(person.pictures) for person in people)
    with progress_over(pictures, "pictures", shown=len(people) > 1) as advance:
        for result in enroller.enrol_all(people, lambda person: advance(len(person.pictures))):
            show_result(result, as_json)
            failed += result.profile_id is None
            if report is not None:
                report.add(result)
    return failed


def _galleries_of(people: "Iterable[Person]", options: "EnrolmentOptions") -> tuple[str, ...]:
    """Return the galleries that people are to be in, each once."""
    each = (person.galleries or options.galleries for person in people)
    return tuple(dict.fromkeys(name for names in each for name in names))


def warn_of_others(gallery: "Gallery", embedding_space: str) -> None:
    """Say how many people newcomers cannot be compared with."""
    others = gallery.enrolling.people_without(embedding_space)
    if others:
        warn(
            f"{others} enrolled people have no template of the embedding space {embedding_space} "
            "and are not compared with: whoever is enrolled now may be one of them"
        )


def show_result(result: "EnrolmentResult", as_json: bool) -> None:
    """Tell what came of a person: the answer on stdout, what is wrong on stderr."""
    from facerec.cli.enrolment_result import result_record

    line = f"line {result.person.line}: " if result.person.line else ""
    for rejected in result.rejected:
        why = rejected.detail.removeprefix(f"{rejected.image}: ") or ", ".join(rejected.reasons)
        warn(f"{rejected.image} is not used: {why}")
    for accepted in result.accepted:
        warn(f"{accepted.image} is used although: {', '.join(accepted.reasons)}")
    for warning in result.warnings:
        warn(f"{line}{result.name}: {warning}")
    if result.profile_id is None:
        warn(f"{line}{result.name} could not be enrolled: {result.problem}")
    if as_json:
        emit(result_record(result))
    elif result.profile_id is not None:
        what = "was already enrolled" if result.already_enrolled else "is enrolled"
        output.print(
            f"{escape(result.name)} {what} as [bold]{result.profile_id}[/] "
            f"({result.templates} template(s))",
            soft_wrap=True,
        )
