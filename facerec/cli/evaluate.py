"""``facerec evaluate``: error rates on pictures whose people are known."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.console import Home, Json, emit, output, stated_failures, warn
from facerec.cli.evaluate_strangers import strangers
from facerec.cli.evaluate_video import video
from facerec.cli.evaluation_setup import (
    DetectorOption,
    EmbedderOption,
    ImagesOption,
    ReportOption,
    TemplateMaker,
    evaluation_settings,
    hand_over,
)
from facerec.cli.progress import progress_over

if TYPE_CHECKING:
    from facerec.evaluation.metrics.detections import DetectionScores
    from facerec.evaluation.pictures.folder import PeoplePictures
    from facerec.evaluation.pictures.pairs_file import LabelledPairs
    from facerec.evaluation.protocols.detection import AnnotatedImage
    from facerec.evaluation.protocols.verification import VerificationResult
    from facerec.evaluation.report.content import PicturePair
    from facerec.evaluation.runs.verification_run import VerificationInput
    from facerec.settings import Settings

    WorstPairs = Callable[[VerificationResult], tuple[PicturePair, ...]]

__all__ = ["evaluate"]

evaluate = typer.Typer(
    name="evaluate", help="Measure error rates on pictures whose people are known.",
    no_args_is_help=True,
)  # fmt: skip

GroupsOption = Annotated[
    Path | None, typer.Option("--groups", help="CSV with the columns person and group.")
]
GroupFactor = Annotated[
    float, typer.Option("--group-factor", min=1, help="Warn when groups differ by more.")
]


@evaluate.command()
def verification(
    images: ImagesOption,
    pairs: Annotated[
        Path | None, typer.Option("--pairs", help="Labelled pairs with folds, as LFW's pairs.txt.")
    ] = None,
    groups: GroupsOption = None,
    group_factor: GroupFactor = 3.0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop when a picture of the pairs file is missing.")
    ] = False,
    show_pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Show the worst errors as pictures.")
    ] = True,
    report: ReportOption = None,
    detector: DetectorOption = None,
    embedder: EmbedderOption = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Compare every picture with every other (1:1), and labelled pairs where given."""
    with stated_failures():
        from facerec.evaluation.pictures.folder import find_people
        from facerec.evaluation.pictures.groups_file import read_groups
        from facerec.evaluation.runs.verification_run import VerificationInput, verification_run

        pictures = find_people(images)
        labelled = None if pairs is None else _read_pairs(pairs, pictures, strict)
        labels = None if groups is None else read_groups(groups, pictures)
        maker = TemplateMaker.of(evaluation_settings(home, detector, embedder))
        given = VerificationInput(
            maker.tested(images),
            pictures,
            maker.acquire(pictures),
            labelled,
            labels,
            group_factor,
            maker.point_in_use(),
        )
        worst = _worst(maker, given) if show_pictures and report is not None else None
        run = verification_run(given, worst)
        hand_over(run, report, as_json, [run.report.summary])


@evaluate.command()
def identification(
    images: ImagesOption,
    references: Annotated[
        list[int] | None,
        typer.Option(
            "--references",
            min=1,
            help="References a person; may be given several times.  [default: 1 and 2]",
        ),
    ] = None,
    groups: GroupsOption = None,
    group_factor: GroupFactor = 3.0,
    report: ReportOption = None,
    detector: DetectorOption = None,
    embedder: EmbedderOption = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Enrol people's first pictures, search for the rest and for strangers (1:N, open set)."""
    with stated_failures():
        from facerec.assembly import person_score
        from facerec.evaluation.pictures.folder import find_people
        from facerec.evaluation.pictures.groups_file import read_groups
        from facerec.evaluation.runs.identification_run import (
            IdentificationInput,
            identification_run,
        )

        pictures = find_people(images)
        labels = None if groups is None else read_groups(groups, pictures)
        maker = TemplateMaker.of(evaluation_settings(home, detector, embedder))
        given = IdentificationInput(
            maker.tested(images),
            pictures,
            maker.acquire(pictures),
            tuple(references or (1, 2)),
            maker.point_in_use(),
            person_score(maker.settings),
            labels,
            group_factor,
        )
        run = identification_run(given)
        hand_over(run, report, as_json, [run.report.summary])


@evaluate.command()
def detection(
    images: Annotated[Path, typer.Option("--images", help="Folder of images.", show_default=False)],
    boxes: Annotated[
        Path,
        typer.Option(
            "--boxes",
            help="JSON: image name to a list of [x, y, width, height].",
            show_default=False,
        ),
    ],
    report: ReportOption = None,
    detector: DetectorOption = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Find faces and compare them with annotated boxes."""
    with stated_failures():
        from facerec.evaluation.protocols.detection import read_boxes
        from facerec.evaluation.runs.detection_run import detection_run

        annotated = read_boxes(boxes)
        maker = TemplateMaker.of(evaluation_settings(home, detector))
        judged = _detect(annotated, images, maker.settings)
        faces = tuple(image.name for image in annotated for _ in image.boxes_xyxy_px)
        score = maker.settings.analysis.min_detection_score
        run = detection_run(maker.tested(images), judged, faces, score)
        hand_over(run, report, as_json, [run.report.summary])


evaluate.command()(video)
evaluate.command()(strangers)


@evaluate.command()
def compare(
    first: Annotated[Path, typer.Argument(help="Folder of a report.", show_default=False)],
    second: Annotated[Path, typer.Argument(help="Folder of another one.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Test the difference of two runs on the same pictures, attempt by attempt."""
    with stated_failures():
        from facerec.evaluation.report.attempts import compare_runs

        differences = compare_runs(first, second)
        if as_json:
            emit({"a": first, "b": second, "measures": differences})
            return
        for measure, found in differences.items():
            verdict = "no difference shown" if found.p_value > 0.05 else "a difference is shown"
            output.print(
                f"{measure}: A {found.rate_a:.4f}, B {found.rate_b:.4f}, B - A "
                f"{found.difference:+.4f} [{found.interval.low:+.4f}, {found.interval.high:+.4f}], "
                f"p = {found.p_value:.2g} ({verdict}; {found.attempts} attempts, only A right "
                f"{found.only_a}, only B right {found.only_b})",
                soft_wrap=True,
                markup=False,
            )


def _worst(maker: TemplateMaker, given: "VerificationInput") -> "WorstPairs | None":
    """Return what makes the pictures of the worst errors."""
    from facerec.evaluation.runs.worst_pairs import worst_pairs

    alignment = maker.embedder.alignment
    if alignment is None:
        return None
    limit = maker.settings.analysis.max_image_pixels
    return lambda result: worst_pairs(
        result.comparisons, given.pictures, given.table, alignment, max_pixels=limit
    )


def _read_pairs(path: Path, pictures: "PeoplePictures", strict: bool) -> "LabelledPairs":
    from facerec.errors import EvaluationError
    from facerec.evaluation.pictures.pairs_file import read_pairs

    labelled = read_pairs(path, pictures)
    if labelled.missing:
        named = ", ".join(labelled.missing[:5]) + (", ..." if len(labelled.missing) > 5 else "")
        text = f"{path} names {len(labelled.missing)} picture(s) that are not there: {named}"
        if strict:
            raise EvaluationError(text)
        warn(f"{text}; counted as failures to acquire")
    return labelled


def _detect(
    annotated: tuple["AnnotatedImage", ...], images: Path, settings: "Settings"
) -> "DetectionScores":
    from facerec.assembly import build_detector
    from facerec.evaluation.protocols.detection import detect_all

    with progress_over(len(annotated), "Finding faces") as advance:
        return detect_all(
            annotated,
            images,
            build_detector(settings),
            lambda _done, _total: advance(1),
            min_face_px=settings.analysis.min_face_px,
            max_pixels=settings.analysis.max_image_pixels,
        )
