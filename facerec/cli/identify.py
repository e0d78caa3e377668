"""``facerec identify``: say who the people in pictures are (1:N)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from facerec.cli.console import Home, Json, emit, output, stated_failures, warn
from facerec.cli.options import Fpir, InGallery, decision_settings
from facerec.cli.recording import record_decisions

if TYPE_CHECKING:
    from facerec.analysis.faces import Faces
    from facerec.decision.decision import Decision
    from facerec.gallery.gallery import Gallery

__all__ = ["identify"]


def identify(
    images: Annotated[list[Path], typer.Argument(help="Pictures.", show_default=False)],
    gallery: InGallery = None,
    fpir: Fpir = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say who the people in pictures are, among those enrolled; a stranger is "unknown".

    With --json, one object a picture.
    """
    with stated_failures():
        from facerec.analysis.image_decoding import read_image
        from facerec.assembly import build_analyzer, build_recognizer, open_gallery
        from facerec.decision.auditing import identification_event
        from facerec.errors import ImageError

        settings = decision_settings(home, fpir=fpir)
        galleries = gallery or [settings.gallery]
        failed = False
        with open_gallery(settings) as people:
            people.require_galleries(galleries)
            analyzer = build_analyzer(settings)
            recognizer = build_recognizer(settings, analyzer.embedding_space)
            for path in images:
                try:
                    image = read_image(path, max_pixels=settings.analysis.max_image_pixels)
                except ImageError as error:
                    warn(str(error))
                    failed = True
                    continue
                faces = analyzer.analyze(image)
                decisions = recognizer.identify(faces, people, galleries)
                place = ", ".join(galleries)
                record_decisions(
                    people, *(identification_event(one, place=place) for one in decisions)
                )
                _report(path, _records(faces, decisions, people), as_json)
        if failed:
            raise typer.Exit(1)


def _records(
    faces: "Faces", decisions: "tuple[Decision, ...]", people: "Gallery"
) -> list[dict[str, Any]]:
    """Return the JSON form of each face and its decision."""
    return [
        {
            "box": box,
            "decision": decision.outcome.value,
            "profile_id": decision.profile_id,
            "name": None if decision.profile_id is None else people.get(decision.profile_id).name,
            "score": decision.similarity,
            "margin": decision.margin,
            "threshold": decision.threshold,
            "operating_point": decision.operating_point,
            "reasons": [reason.value for reason in decision.reasons],
        }
        for box, decision in zip(faces.boxes_xyxy_px.tolist(), decisions, strict=True)
    ]


def _report(path: Path, records: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        emit({"image": str(path), "faces": records})
        return
    output.print(f"[bold]{escape(str(path))}[/]: {len(records) or 'no'} face(s)", soft_wrap=True)
    for record in records:
        left, top, right, bottom = (round(value) for value in record["box"])
        who = record["name"] or record["decision"]
        score = "" if record["score"] is None else f", score {record['score']:.3f}"
        reasons = f" ({', '.join(record['reasons'])})" if record["reasons"] else ""
        output.print(
            f"  {escape(who)}{reasons} at {left},{top} to {right},{bottom}{score}, "
            f"threshold {record['threshold']:.3f}",
            soft_wrap=True,
        )
