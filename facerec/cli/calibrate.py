"""``facerec calibrate``: thresholds from the operator's own people."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facerec.cli.console import Home, Json, emit, output, stated_failures, warn
from facerec.cli.evaluation_setup import TemplateMaker, evaluation_settings
from facerec.cli.recording import record_in_home
from facerec.cli.refused_rates import warn_where_refused

if TYPE_CHECKING:
    from facerec.decision.operating_point import OperatingPoint, Provenance
    from facerec.evaluation.calibration.calibrating import CalibrationSource, KnownFaces
    from facerec.settings import Settings

__all__ = ["Calibration", "calibrate", "describe", "print_described"]

STATED_FMRS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
STATED_SIZES = (10, 100, 1000, 10_000)
REMARKS = {
    "gallery": "The people enrolled here, compared with each other.",
    "strangers": "Strangers at the operator's own cameras, compared with the people enrolled.",
    "pictures": "A folder of people, compared with each other.",
}
TWICE = {
    "gallery": "somebody may be enrolled twice",
    "strangers": "some of the strangers may be enrolled; leave them out and calibrate again",
    "pictures": "somebody may have two folders (facerec evaluate verification --report DIR shows "
    "the pictures)",
}


def calibrate(
    name: Annotated[str, typer.Option("--name", help="Name of the operating point.")] = "own",
    gallery: Annotated[
        str | None, typer.Option("--gallery", help="Gallery to take people from.  [default: all]")
    ] = None,
    strangers: Annotated[
        Path | None,
        typer.Option(
            "--strangers",
            help="Pictures of people who are not enrolled (a folder; one folder a person inside, "
            "or one picture a person), or a video of them.",
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            "--images", help="Folder with one folder of pictures a person, not the gallery."
        ),
    ] = None,
    use: Annotated[bool, typer.Option("--use/--keep", help="Decide with it from now on.")] = True,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Measure which threshold costs which error rate, and keep it as an operating point."""
    if images is not None and (strangers is not None or gallery is not None):
        raise typer.BadParameter("--images stands alone: it takes no people from the gallery")
    with stated_failures():
        from facerec.decision.operating_point_store import OperatingPointStore

        OperatingPointStore.check_name(name)
        maker = TemplateMaker.of(evaluation_settings(home))
        point = Calibration(maker, name).run(gallery, strangers, images)
        _keep(point, maker.settings, use=use)
        record = describe(point) | {"in_use": use}
        if as_json:
            emit(record)
        else:
            print_described(record)
        _warn_of_alike(point.provenance)
        if use:
            warn_where_refused(point, maker.settings)


def _keep(point: "OperatingPoint", settings: "Settings", *, use: bool) -> None:
    """Put an operating point into the home and its journal."""
    from facerec.decision.operating_point_store import OperatingPointStore
    from facerec.gallery.audit.event import AuditEvent, AuditKind

    OperatingPointStore(settings.operating_points_dir).add(point, use=use)
    event = AuditEvent(
        AuditKind.OPERATING_POINT_SET,
        outcome="in use" if use else "kept",
        embedding_space=point.embedding_space,
        operating_point=point.name,
    )
    record_in_home(settings, event)


def _warn_of_alike(provenance: "Provenance") -> None:
    if provenance.alike:
        warn(
            f"{provenance.alike} pair(s) of different people look as alike as pictures of one "
            f"person do: {TWICE[provenance.kind]}; the thresholds are too high by that"
        )


@dataclass(frozen=True)
class Calibration:
    """One calibration: gathers faces from where they are, then measures.

    Attributes:
        maker: Makes templates of pictures.
        name: Name of the operating point.
    """

    maker: TemplateMaker
    name: str

    def run(
        self, gallery: str | None, strangers: Path | None, images: Path | None
    ) -> "OperatingPoint":
        """Calibrate on a folder of people, on a gallery, or on strangers against a gallery.

        Args:
            gallery: Gallery to take people from; None for all.
            strangers: Pictures or a video of people who are not enrolled; None for none.
            images: Folder of people to take instead; None for none.

        Raises:
            EvaluationError: there are too few people.
        """
        from facerec.evaluation.calibration.calibrating import (
            calibrate,
            calibrate_with_strangers,
        )

        if images is not None:
            return calibrate(self._pictures(images), self._source("pictures", images.name))
        enrolled = self._enrolled(gallery)
        where = "all galleries" if gallery is None else f"gallery {gallery}"
        if strangers is None:
            return calibrate(enrolled, self._source("gallery", where))
        seen = self._strangers(strangers)
        source = self._source("strangers", f"{strangers.name} against {where}")
        return calibrate_with_strangers(enrolled, seen, source)

    def _source(self, kind: str, data: str) -> "CalibrationSource":
        from facerec.evaluation.calibration.calibrating import CalibrationSource

        analysis = self.maker.settings.analysis
        return CalibrationSource(
            self.name,
            kind,
            data,
            self.maker.embedder.embedding_space,
            analysis.detector,
            analysis.embedder,
            self.maker.embedder.weights_sha256[:12],
            analysis.mirrored_chip,
            datetime.now(UTC).date().isoformat(),
            REMARKS[kind],
        )

    def _enrolled(self, gallery: str | None) -> "KnownFaces":
        return enrolled_faces(self.maker.settings, gallery, self.maker.embedder.embedding_space)

    def _pictures(self, folder: Path) -> "KnownFaces":
        from facerec.evaluation.calibration.known_faces import faces_of_table
        from facerec.evaluation.pictures.folder import find_people

        pictures = find_people(folder)
        return faces_of_table(self.maker.acquire(pictures), pictures.people)

    def _strangers(self, path: Path) -> "KnownFaces":
        from facerec.evaluation.calibration.known_faces import faces_of_table
        from facerec.evaluation.pictures.folder import find_strangers

        if path.is_file():
            return _faces_of_video(path, self.maker.settings)
        pictures = find_strangers(path)
        return faces_of_table(self.maker.acquire(pictures), pictures.people)


def _faces_of_video(path: Path, settings: "Settings") -> "KnownFaces":
    from facerec.assembly import build_analyzer
    from facerec.evaluation.calibration.stranger_video import faces_of_frames
    from facerec.video.open_source import open_source
    from facerec.video.overlap_tracker import OverlapTracker

    tracker = OverlapTracker(forget_after_s=settings.watch.forget_after_s)
    with open_source(str(path)) as source:
        return faces_of_frames(source, build_analyzer(settings), tracker)


def enrolled_faces(settings: "Settings", gallery: str | None, space: str) -> "KnownFaces":
    """Return the templates of a space of everybody enrolled (in a gallery)."""
    from facerec.assembly import open_gallery
    from facerec.evaluation.calibration.known_faces import faces_of_templates

    with open_gallery(settings) as people:
        return faces_of_templates(
            [people.templates(profile.profile_id) for profile in people.list(gallery)], space
        )


def describe(point: "OperatingPoint") -> dict[str, Any]:
    """Return the JSON form of what an operating point says: thresholds and what they cost.

    Each threshold has two 95 % intervals: ``interval`` is of the rate, ``interval_of_a_test`` holds
    what a test with as many other people as were calibrated on shows of it; of FPIR, the mean over
    galleries of that size, everybody being a stranger to all others (where there are fewer people
    than that, so many strangers before one gallery).
    """
    from facerec.errors import OperatingPointError
    from facerec.evaluation.calibration.foretelling import SearchTest, foretold_fmr, foretold_fpir

    people = point.provenance.people
    fmr: dict[str, Any] = {}
    for rate in STATED_FMRS:
        try:
            threshold = point.threshold_at_fmr(rate)
        except OperatingPointError as error:
            fmr[f"{rate:g}"] = {"refused": str(error)}
        else:
            fmr[f"{rate:g}"] = {
                "threshold": threshold,
                "interval": list(point.fmr_interval_at(threshold)),
                "interval_of_a_test": foretold_fmr(point, threshold, people).ends,
                "extrapolated": not point.is_measured(rate),
            }
    fpir: dict[str, Any] = {}
    for size in STATED_SIZES:
        try:
            threshold = point.threshold_at_fpir(0.01, size)
        except OperatingPointError as error:
            fpir[str(size)] = {"refused": str(error)}
        else:
            drawn_from = SearchTest(people, min(size, people), people)
            test = foretold_fpir(point, threshold, size, drawn_from)
            fpir[str(size)] = {
                "threshold": threshold,
                "interval": list(point.fpir_interval_at(threshold, size)),
                "interval_of_a_test": test.ends,
            }
    return {
        "name": point.name,
        "embedding_space": point.embedding_space,
        "provenance": vars(point.provenance),
        "lowest_fmr": point.lowest_fmr,
        "largest_gallery": point.largest_gallery,
        "fmr": fmr,
        "fpir_0.01_by_gallery_size": fpir,
    }


def _brackets(ends: list[float]) -> str:
    return f"[{ends[0]:.2g}, {ends[1]:.2g}]"


def print_described(record: dict[str, Any]) -> None:
    """Print what `describe` returns, for people."""
    provenance = record["provenance"]
    output.print(
        f"{record['name']}: {provenance['people']} people, {provenance['images']} templates, "
        f"{provenance['comparisons']} comparisons of different people ({provenance['data']}, "
        f"{provenance['date']})",
        soft_wrap=True,
        markup=False,
    )
    for title, entries in (
        ("FMR", record["fmr"]),
        ("FPIR 0.01, templates in the gallery", record["fpir_0.01_by_gallery_size"]),
    ):
        for rate, entry in entries.items():
            text = (
                f"refused: {entry['refused']}"
                if "refused" in entry
                else f"threshold {entry['threshold']:.4f}, 95 % interval "
                f"{_brackets(entry['interval'])}, of a test on as many people "
                f"{_brackets(entry['interval_of_a_test'])}"
                + (", extrapolated" if entry.get("extrapolated") else "")
            )
            output.print(f"  {title} {rate}: {text}", soft_wrap=True, markup=False)
