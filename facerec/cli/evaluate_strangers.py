"""``facerec evaluate strangers``: how often people whom nobody enrolled are named by a camera."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.console import Home, Json, stated_failures
from facerec.cli.evaluation_setup import (
    ImagesOption,
    ReportOption,
    TemplateMaker,
    evaluation_settings,
    hand_over,
)
from facerec.cli.progress import progress_over

if TYPE_CHECKING:
    from collections.abc import Callable

    from facerec.analysis.analyzer import FaceAnalyzer
    from facerec.evaluation.pictures.folder import PeoplePictures
    from facerec.evaluation.protocols.strangers import StrangerVisit
    from facerec.gallery.gallery import Gallery
    from facerec.settings import Settings

__all__ = ["strangers"]

_TARGETS = (1e-2, 1e-3)
_GALLERY = "enrolled"


def strangers(
    images: ImagesOption,
    templates: Annotated[
        int, typer.Option("--templates", min=1, help="Pictures enrolled of each person.")
    ] = 1,
    mated: Annotated[
        bool, typer.Option("--mated", help="Show a further picture of each enrolled person too.")
    ] = False,
    most: Annotated[
        int | None, typer.Option("--most", min=1, help="Strangers at most.  [default: all]")
    ] = None,
    report: ReportOption = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show everybody of whom there is one picture as a 1-second track, with the others enrolled."""
    with stated_failures():
        from facerec.evaluation.pictures.folder import find_people
        from facerec.evaluation.protocols.strangers import StrangersResult
        from facerec.evaluation.runs.strangers_run import strangers_run

        pictures = find_people(images)
        maker = TemplateMaker.of(evaluation_settings(home))
        visits, people = _watch(pictures, maker, templates, mated, most)
        result = StrangersResult(visits, people, templates)
        run = strangers_run(maker.tested(images), result, _TARGETS)
        hand_over(run, report, as_json, [run.report.summary, *_lines(run.record["mated"], mated)])


def _lines(mated: dict[str, dict[str, int]], wanted: bool) -> list[str]:
    if not wanted:
        return []
    return [
        f"Enrolled people at a target of {target}: {counts['right']} named rightly, "
        f"{counts['wrong']} wrongly, {counts['missed']} not."
        for target, counts in mated.items()
    ]


@dataclass(frozen=True)
class _Visitor:
    """A picture that is shown: its file, whose it is, whether they are enrolled."""

    path: Path
    person: str
    enrolled: bool
    seed: int


def _watch(
    pictures: "PeoplePictures",
    maker: TemplateMaker,
    templates: int,
    mated: bool,
    most: int | None,
) -> "tuple[tuple[StrangerVisit, ...], int]":
    """Enrol those of whom there are several pictures; show the others, in random order."""
    import numpy as np

    from facerec.errors import EvaluationError
    from facerec.gallery.gallery import Gallery

    counts = np.bincount(pictures.people)
    alone = np.flatnonzero(counts == 1)
    np.random.default_rng(0).shuffle(alone)
    rows = [np.flatnonzero(pictures.people == person) for person in np.flatnonzero(counts > 1)]
    if not rows or not len(alone):
        raise EvaluationError(
            "there must be people with one picture, the strangers, and people with more, to enrol"
        )
    strangers = [int(np.flatnonzero(pictures.people == person)[0]) for person in alone[:most]]
    visitors = _visitors(pictures, strangers, enrolled=False)
    if mated:
        further = [int(own[templates]) for own in rows if len(own) > templates]
        visitors += _visitors(pictures, further, enrolled=True)
    references = np.concatenate([own[:templates] for own in rows])
    with (
        tempfile.TemporaryDirectory() as scratch,
        Gallery.open(Path(scratch) / "gallery.db") as gallery,
    ):
        _enrol(gallery, pictures.only(references), maker)
        return _show(visitors, maker.settings, gallery), len(gallery.list(_GALLERY))


def _visitors(pictures: "PeoplePictures", rows: list[int], *, enrolled: bool) -> "list[_Visitor]":
    """Return who the pictures of these rows show."""
    return [
        _Visitor(
            pictures.root / pictures.paths[row], pictures.names[pictures.people[row]], enrolled, row
        )
        for row in rows
    ]


def _enrol(gallery: "Gallery", references: "PeoplePictures", maker: TemplateMaker) -> None:
    """Enrol everybody under the name of their folder."""
    import numpy as np

    from facerec.gallery.profile import NewTemplate

    faces = maker.acquire(references)
    gallery.create_gallery(_GALLERY)
    space = maker.embedder.embedding_space
    for person, name in enumerate(references.names):
        own = np.flatnonzero((references.people == person) & faces.acquired)
        looks = [
            NewTemplate(faces.embeddings[row], space, float(faces.quality[row, 0]), "evaluation")
            for row in own
        ]
        if looks:
            gallery.enrol(name, looks, galleries=[_GALLERY])


def _show(
    visitors: "list[_Visitor]", settings: "Settings", gallery: "Gallery"
) -> "tuple[StrangerVisit, ...]":
    """Show each visitor to a monitor of each target, one thread a core."""
    from facerec.assembly import build_analyzer

    inference = settings.inference.model_copy(update={"threads": 1})
    single = settings.model_copy(update={"inference": inference})
    workers = settings.inference.threads
    analyzers = [build_analyzer(single) for _ in range(workers)]
    visits: list[StrangerVisit] = []
    with progress_over(len(visitors), "Watching") as advance:
        lock = Lock()

        def seen(visit: "StrangerVisit") -> None:
            with lock:
                visits.append(visit)
                if visit.target_fpir == _TARGETS[0]:
                    advance(1)

        def show(worker: int) -> None:
            _show_some(visitors[worker::workers], single, gallery, analyzers[worker], seen)

        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(show, range(workers)))
    return tuple(sorted(visits, key=lambda visit: (visit.person, visit.target_fpir)))


def _show_some(
    visitors: "list[_Visitor]",
    settings: "Settings",
    gallery: "Gallery",
    analyzer: "FaceAnalyzer",
    seen: "Callable[[StrangerVisit], None]",
) -> None:
    from facerec.analysis.image_decoding import read_image
    from facerec.assembly import build_recognizer
    from facerec.errors import ImageError
    from facerec.evaluation.protocols.strangers import OneFrameMemo, StrangerVisit, watch_visit
    from facerec.monitor_assembly import MonitorMaker

    memo = OneFrameMemo(analyzer)
    makers = []
    for target in _TARGETS:
        decision = settings.decision.model_copy(update={"target_fpir": target})
        own = settings.model_copy(update={"decision": decision})
        recognizer = build_recognizer(own, analyzer.embedding_space)
        makers.append((target, MonitorMaker(own, gallery, memo, recognizer)))
    for visitor in visitors:
        try:
            picture = read_image(visitor.path, max_pixels=settings.analysis.max_image_pixels)
        except ImageError:
            for target in _TARGETS:
                seen(StrangerVisit.unseen(visitor.person, target, enrolled=visitor.enrolled))
            continue
        watch_visit(
            picture,
            [(target, maker.monitor("strangers", [_GALLERY])) for target, maker in makers],
            person=visitor.person,
            enrolled=visitor.enrolled,
            seed=visitor.seed,
            tell=seen,
        )
