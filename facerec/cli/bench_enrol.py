"""``facerec bench enrol``: how much slower enrolling many is than analysing their pictures."""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.console import Home, Json, emit, messages, output, stated_failures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facerec.cli.people_to_enrol import Person
    from facerec.evaluation.enrolment_benchmark import EnrolmentTimes
    from facerec.settings import Settings

__all__ = ["bench_enrol"]

_PEOPLE_A_TURN = 40
"""About two seconds of work: as many as are stored together."""


def bench_enrol(
    source: Annotated[
        Path,
        typer.Option("--from", help="A folder that holds one folder a person, or a .csv file."),
    ],
    people: Annotated[
        int, typer.Option("--people", min=_PEOPLE_A_TURN * 2, help="People to enrol at most.")
    ] = 400,
    home: Home = None,
    json: Json = False,
) -> None:
    """Time enrolling a folder of people against analysing the same pictures alone.

    The gallery is a new one in a temporary folder; the home is not changed.
    """
    from facerec.cli.people_to_enrol import people_from
    from facerec.settings import load_settings

    with stated_failures():
        chosen = [person for person in people_from(source) if person.pictures][:people]
        with messages.status("Enrolling"):
            times = _measure(load_settings(home), chosen)
    if json:
        emit(asdict(times))
        return
    output.print(
        f"{times.people} people, {times.pictures} pictures, {times.turns} turns\n"
        f"analysis  {times.analysis_pictures_per_s:6.1f} pictures a second\n"
        f"enrolment {times.enrolment_pictures_per_s:6.1f} pictures a second\n"
        f"ratio     {times.ratio_to_analysis:6.3f}"
    )


def _measure(settings: "Settings", people: "Sequence[Person]") -> "EnrolmentTimes":
    from facerec.analysis.image_decoding import read_image
    from facerec.assembly import build_analyzer, build_enrolment_check
    from facerec.cli.enrolling import Enroller, EnrolmentOptions
    from facerec.decision.enrolment import assess_picture
    from facerec.evaluation.enrolment_benchmark import measure_enrolment
    from facerec.gallery.gallery import Gallery

    analyzer = build_analyzer(settings)

    def analyse(turn: "Sequence[Person]") -> None:
        for path in (path for person in turn for path in person.pictures):
            image = read_image(path, max_pixels=settings.analysis.max_image_pixels)
            assess_picture(
                analyzer, image, source=path.name, min_quality=settings.decision.min_quality
            )

    with TemporaryDirectory() as scratch, Gallery.open(Path(scratch) / "gallery.db") as gallery:
        check = build_enrolment_check(settings, gallery, analyzer.embedding_space)
        options = EnrolmentOptions(("default",))
        enroller = Enroller(settings, analyzer, gallery, options, check)

        def enrol(turn: "Sequence[Person]") -> None:
            for _ in enroller.enrol_all(turn):
                pass

        turns = [people[i : i + _PEOPLE_A_TURN] for i in range(0, len(people), _PEOPLE_A_TURN)]
        return measure_enrolment(turns, lambda person: len(person.pictures), analyse, enrol)
