"""``facerec verify``: compare two pictures, or a picture and an enrolled person (1:1)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.console import Home, Json, emit, output, stated_failures
from facerec.cli.options import Fmr, Largest, decision_settings
from facerec.cli.recording import record_decisions

if TYPE_CHECKING:
    from facerec.decision.verification import Verification
    from facerec.settings import Settings

__all__ = ["verify"]


def verify(
    images: Annotated[
        list[Path],
        typer.Argument(help="Two pictures, or one and --profile.", show_default=False),
    ],
    profile: Annotated[
        str | None, typer.Option("--profile", help="Id of the person to compare with.")
    ] = None,
    largest: Largest = False,
    fmr: Fmr = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Compare a picture with another one, or with an enrolled person (1:1).

    Exit code 0 says that the question was answered, not that the answer is yes.
    """
    expected = 2 if profile is None else 1
    if len(images) != expected:
        raise typer.BadParameter(
            f"give two pictures, or one picture and --profile; received {len(images)} picture(s)"
            + (" and --profile" if profile is not None else "")
        )
    with stated_failures():
        answer = _answer(decision_settings(home, fmr=fmr), images, profile, largest)
        if as_json:
            emit(
                {
                    "match": answer.match,
                    "decision": answer.outcome.value,
                    "score": answer.similarity,
                    "threshold": answer.threshold,
                    "fmr": answer.fmr,
                    "operating_point": answer.operating_point,
                    "reasons": [reason.value for reason in answer.reasons],
                }
            )
        else:
            _print(answer)


def _answer(
    settings: "Settings", images: list[Path], profile: str | None, largest: bool
) -> "Verification":
    from facerec.analysis.image_decoding import read_image
    from facerec.assembly import build_analyzer, build_recognizer, open_gallery
    from facerec.decision.auditing import verification_event

    limit = settings.analysis.max_image_pixels
    pictures = [read_image(path, max_pixels=limit) for path in images]
    analyzer = build_analyzer(settings)
    recognizer = build_recognizer(settings, analyzer.embedding_space)
    faces = [analyzer.analyze(picture) for picture in pictures]
    if profile is None:
        answer = recognizer.verify_pictures(faces[0], faces[1], largest=largest)
        # Comparing two pictures makes no home.
        if settings.database_path.exists() or settings.database.url.get_secret_value():
            with open_gallery(settings) as people:
                record_decisions(people, verification_event(answer, None))
        return answer
    with open_gallery(settings) as people:
        answer = recognizer.verify_profile(faces[0], people, profile, largest=largest)
        record_decisions(people, verification_event(answer, profile))
        return answer


def _print(answer: "Verification") -> None:
    words = {"match": "[green]match[/]", "no_match": "[red]no match[/]"}
    reasons = f" ({', '.join(answer.reasons)})" if answer.reasons else ""
    score = "" if answer.similarity is None else f": score {answer.similarity:.3f}"
    output.print(
        f"{words.get(answer.outcome.value, '[yellow]undecided[/]')}{reasons}{score}, "
        f"threshold {answer.threshold:.3f} (false match rate {answer.fmr:g})",
        soft_wrap=True,
    )
