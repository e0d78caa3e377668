"""``facerec train``: from pictures to a network that the rest of the system takes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facerec.cli.console import Home, Json, emit, output, stated_failures, warn
from facerec.cli.progress import progress_over
from facerec.cli.train_detector import detector
from facerec.cli.train_evaluate import evaluate
from facerec.cli.train_package import adapt, package
from facerec.cli.train_run import resume, run

if TYPE_CHECKING:
    from facerec.analysis.analyzer import FaceAnalyzer
    from facerec.settings import Settings
    from facerec.training.cleaning import Review
    from facerec.training.preparing import Preparation, PreparationRules
    from facerec.training.record_file import DataDescription
    from facerec.training.sources import Sources

__all__ = ["train"]

train = typer.Typer(
    name="train", help="Train, distil or adapt an embedder on your own pictures.",
    no_args_is_help=True,
)  # fmt: skip
train.command()(run)
train.command()(resume)
train.command()(evaluate)
train.command()(package)
train.command()(adapt)
train.command()(detector)


@train.command()
def data(
    pictures: Annotated[
        Path,
        typer.Argument(
            help="Folder with one folder of pictures a person, or a CSV file with the columns "
            "picture and person.",
            show_default=False,
        ),
    ],
    output_path: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to make.", show_default=False)
    ],
    terms: Annotated[
        str, typer.Option("--terms", help="Under which terms the pictures may be used.")
    ] = "not stated",
    min_face: Annotated[int, typer.Option("--min-face", help="Least side of a face.")] = 24,
    min_quality: Annotated[float, typer.Option("--min-quality", min=0, max=1)] = 0.0,
    min_pictures: Annotated[
        int, typer.Option("--min-pictures", min=1, help="Least pictures of a person.")
    ] = 1,
    reviewed: Annotated[
        Path | None, typer.Option("--reviewed", help="Proposals of `train clean`, reviewed.")
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option("--pairs", help="Take only people of a fold of this pairs file.")
    ] = None,
    fold: Annotated[int, typer.Option("--fold", min=1, help="The fold.")] = 1,
    home: Home = None,
    json: Json = False,
) -> None:
    """Find and cut out the face of each picture, and say what was dropped and why."""
    with stated_failures():
        from facerec.settings import load_settings
        from facerec.training.cleaning import read_review
        from facerec.training.preparing import PreparationRules
        from facerec.training.sources import find_sources, only_fold

        settings = load_settings(home)
        sources = find_sources(pictures)
        if pairs is not None:
            sources = only_fold(sources, pairs, fold)
        rules = PreparationRules(
            min_face, min_quality, min_pictures, settings.analysis.max_image_pixels
        )
        review = None if reviewed is None else read_review(reviewed)
        made = _prepared(settings, sources, terms, output_path, rules, review, quiet=json)
    _say_prepared(made, output_path, json)


@train.command()
def clean(
    folder: Annotated[Path, typer.Argument(help="Prepared data.", show_default=False)],
    output_path: Annotated[
        Path, typer.Option("--output", "-o", help="CSV file to write.", show_default=False)
    ],
    same_from: Annotated[
        float | None,
        typer.Option("--same-from", help="Similarity from which two faces are one person's."),
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Propose what to correct in the labels; nothing is changed until you accept it.

    Fill the column accept with yes, then: facerec train data ... --reviewed FILE
    """
    with stated_failures():
        from facerec.settings import load_settings
        from facerec.training.cleaning import find_faults, write_proposals
        from facerec.training.record_file import ChipReader

        reader = ChipReader(folder)
        limit = same_from or _same_person_from(load_settings(home), reader.description.embedder)
        labels = (reader.people, reader.names, reader.sources)
        found = find_faults(reader.embeddings, *labels, same_from=limit, other_below=limit / 2)
        write_proposals(output_path, found)
    if json:
        emit({"proposals": [vars(entry) for entry in found], "same_from": limit})
    else:
        output.print(
            f"{len(found)} proposal(s) written to {output_path}; two faces count as one person's "
            f"from similarity {limit:.3f}",
            soft_wrap=True,
        )


def _prepared(
    settings: "Settings",
    sources: "Sources",
    terms: str,
    output_path: Path,
    rules: "PreparationRules",
    review: "Review | None",
    *,
    quiet: bool,
) -> "Preparation":
    from facerec.training.new_folder import was_cut_off
    from facerec.training.preparing import prepare

    description, analyzers = _description(settings, sources, terms), _analyzers(settings)
    if was_cut_off(output_path):
        warn(f"an earlier preparation of {output_path} was cut off; beginning it again")
    with progress_over(len(sources), "Finding faces", shown=not quiet) as advance:
        return prepare(sources, analyzers, description, output_path, rules, advance, review)


def _description(settings: "Settings", sources: "Sources", terms: str) -> "DataDescription":
    from facerec.errors import TrainingError
    from facerec.inference import ModelTask
    from facerec.models.store import ModelStore
    from facerec.training.record_file import DataDescription

    store = ModelStore(settings.models_dir)
    detector = store.require(settings.analysis.detector, ModelTask.DETECTOR)
    embedder = store.require(settings.analysis.embedder, ModelTask.EMBEDDER)
    if embedder.alignment is None:
        raise TrainingError(f"network {embedder.name} has no alignment; import it again")
    named = sources.root.name.encode(errors="replace").decode()
    return DataDescription(
        f"{detector.name} {detector.weights_sha256[:12]}",
        embedder.embedding_space,
        embedder.alignment,
        terms,
        f"{len(sources)} pictures of {len(set(sources.people))} people in {named}",
    )


def _analyzers(settings: "Settings") -> "list[FaceAnalyzer]":
    """Load one analyzer a core; embeddings serve cleaning only, so one look is enough."""
    from facerec.assembly import build_analyzer

    single = settings.model_copy(
        update={
            "inference": settings.inference.model_copy(update={"threads": 1}),
            "analysis": settings.analysis.model_copy(update={"mirrored_chip": False}),
        }
    )
    return [build_analyzer(single) for _ in range(settings.inference.threads)]


def _same_person_from(settings: "Settings", space: str) -> float:
    """Return the similarity that one in ten thousand pairs of strangers reaches."""
    from facerec.decision.operating_point_store import OperatingPointStore

    point = OperatingPointStore(settings.operating_points_dir).in_use(space)
    return point.threshold_at_fmr(1e-4)


def _say_prepared(made: "Preparation", path: Path, json: bool) -> None:
    described = made.description
    record: dict[str, Any] = {
        "output": path,
        "given": made.given,
        "pictures": described.pictures,
        "people": described.people,
        "dropped": made.counts,
        "people_with_one_picture": made.single,
        "hash": described.hash,
    }
    if json:
        emit(record)
        return
    output.print(
        f"{described.pictures} chip(s) of {described.people} people in {path}", soft_wrap=True
    )
    for reason, count in sorted(made.counts.items()):
        output.print(f"  dropped {count}: {reason}")
    if made.dropped:
        output.print(f"  which ones: {path / 'dropped.csv'}", soft_wrap=True)
    if made.single:
        warn(f"{made.single} people have one picture only; nothing can be learned of how they vary")
