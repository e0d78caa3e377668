"""``facerec detect``: find the faces of pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from facerec.cli.console import Home, Json, emit, output, stated_failures, warn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facerec.analysis.faces import Faces

__all__ = ["detect"]


def detect(
    images: Annotated[list[Path], typer.Argument(help="Pictures.", show_default=False)],
    min_face: Annotated[
        int | None,
        typer.Option(
            "--min-face",
            min=8,
            max=4096,
            help="Smallest face side to find, in pixels; larger is faster.  [default: 24]",
        ),
    ] = None,
    output_dir: Annotated[
        Path | None,
        typer.Option("--output", help="Folder for copies with the faces drawn.", file_okay=False),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Find the faces of pictures: where they are and how fit for comparison.

    With --json, one object a picture.
    """
    with stated_failures():
        from facerec.analysis.image_decoding import read_image
        from facerec.assembly import build_analyzer
        from facerec.errors import ImageError
        from facerec.settings import load_settings

        flags = {} if min_face is None else {"analysis": {"min_face_px": min_face}}
        settings = load_settings(home, **flags)
        analyzer = build_analyzer(settings)
        failed = False
        for path in images:
            try:
                image = read_image(path, max_pixels=settings.analysis.max_image_pixels)
                faces = analyzer.detect(image)
                _report(path, _records(faces), as_json)
                if output_dir is not None:
                    _write_drawing(output_dir, path, image, faces)
            except ImageError as error:
                warn(str(error))
                failed = True
        if failed:
            raise typer.Exit(1)


def _records(faces: "Faces") -> list[dict[str, Any]]:
    """Return the JSON form of each face."""
    from facerec.analysis.quality import flaws

    quality = faces.quality
    records = []
    for i in range(len(faces)):
        assessed = {} if quality is None else {k: float(v[i]) for k, v in vars(quality).items()}
        records.append(
            {
                "box": faces.boxes_xyxy_px[i].tolist(),
                "score": float(faces.detection_scores[i]),
                "landmarks": faces.landmarks_px[i].tolist(),
                "quality": assessed,
                "flaws": [] if quality is None else [flaw.value for flaw in flaws(quality, i)],
            }
        )
    return records


def _report(path: Path, records: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        emit({"image": str(path), "faces": records})
        return
    output.print(f"[bold]{escape(str(path))}[/]: {len(records) or 'no'} face(s)", soft_wrap=True)
    if not records:
        return
    table = Table("box (left, top, right, bottom)", "score", "quality", "flaws")
    for record in records:
        table.add_row(
            ", ".join(str(round(value)) for value in record["box"]),
            f"{record['score']:.2f}",
            f"{record['quality']['overall']:.2f}",
            ", ".join(record["flaws"]) or "none",
        )
    output.print(table)


def _write_drawing(
    folder: Path, source: Path, image_bgr: "NDArray[np.uint8]", faces: "Faces"
) -> None:
    """Write a JPEG named after the picture.

    Raises:
        ImageError: the folder or the file cannot be written.
    """
    import cv2

    from facerec.analysis.drawing import draw_faces
    from facerec.errors import ImageError

    drawn = cv2.imencode(".jpg", draw_faces(image_bgr, faces), [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
    # The suffix stays in the name, so that a.png and a.jpg do not overwrite each other.
    target = folder / f"{source.name}.faces.jpg"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target.write_bytes(drawn.tobytes())
    except OSError as error:
        raise ImageError(f"{target}: cannot be written: {error.strerror or error}") from error
