"""What evaluation commands share: networks as settings say, templates of pictures, output."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.console import emit, messages, output, warn
from facerec.cli.progress import progress_over

if TYPE_CHECKING:
    from facerec.analysis.analyzer import FaceAnalyzer
    from facerec.decision.operating_point import OperatingPoint
    from facerec.evaluation.pictures.face_table import FaceTable
    from facerec.evaluation.pictures.folder import PeoplePictures
    from facerec.evaluation.report.subject import TestedSystem
    from facerec.evaluation.runs.run import EvaluationRun
    from facerec.inference import ModelManifest
    from facerec.settings import Settings

__all__ = [
    "DetectorOption", "EmbedderOption", "ImagesOption", "ReportOption", "TemplateMaker",
    "evaluation_settings", "hand_over",
]  # fmt: skip

ImagesOption = Annotated[
    Path,
    typer.Option(
        "--images", help="Folder with one folder of pictures a person.", show_default=False
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option("--report", help="Write a page, its plots and the figures to this folder."),
]
DetectorOption = Annotated[
    str | None, typer.Option("--detector", help="Detector to test.  [default: as the settings say]")
]
EmbedderOption = Annotated[
    str | None, typer.Option("--embedder", help="Embedder to test.  [default: as the settings say]")
]


def evaluation_settings(
    home: Path | None, detector: str | None = None, embedder: str | None = None
) -> "Settings":
    """Load the settings with the networks that flags name."""
    from facerec.settings import load_settings

    named = {"detector": detector, "embedder": embedder}
    given = {name: value for name, value in named.items() if value is not None}
    return load_settings(home, analysis=given) if given else load_settings(home)


@dataclass(frozen=True)
class TemplateMaker:
    """Makes templates of pictures with the networks of the settings, and keeps them in the home.

    Attributes:
        settings: The settings.
        detector: The detector's manifest.
        embedder: The embedder's manifest.
    """

    settings: "Settings"
    detector: "ModelManifest"
    embedder: "ModelManifest"

    @classmethod
    def of(cls, settings: "Settings") -> "TemplateMaker":
        """Look up the networks that the settings name.

        Raises:
            ModelNotFoundError: one is not installed.
            ModelDamagedError: one is damaged.
        """
        from facerec.inference import ModelTask
        from facerec.models.store import ModelStore

        store = ModelStore(settings.models_dir)
        return cls(
            settings,
            store.require(settings.analysis.detector, ModelTask.DETECTOR),
            store.require(settings.analysis.embedder, ModelTask.EMBEDDER),
        )

    def acquire(self, pictures: "PeoplePictures") -> "FaceTable":
        """Return the subject's face of each picture, from the cache where it is known."""
        from facerec.evaluation.pictures.acquisition import Acquirer
        from facerec.evaluation.pictures.template_cache import TemplateCache

        space = self.embedder.embedding_space
        cache = TemplateCache(self.settings.home / "cache" / "templates", space, self.fingerprint())
        acquirer = Acquirer(
            lambda: _analyzers(self.settings),
            cache,
            self.settings.analysis.max_image_pixels,
            self.embedder.embedding_size,
        )
        paths = [pictures.root / path for path in pictures.paths]
        with progress_over(len(paths), "Making templates") as advance:
            done = 0

            def told(count: int, _total: int) -> None:
                nonlocal done
                advance(count - done)
                done = count

            return acquirer.acquire(paths, told)

    def fingerprint(self) -> str:
        """Return what stands for all that a template depends on beside picture and space."""
        analysis = self.settings.analysis
        return hashlib.sha256(
            json.dumps(
                [
                    self.detector.name,
                    self.detector.weights_sha256,
                    self.detector.preprocessing.version,
                    analysis.min_face_px,
                    analysis.min_detection_score,
                    analysis.close_up,
                    analysis.mirrored_chip,
                    analysis.second_look,
                    _code_hash(),
                ]
            ).encode()
        ).hexdigest()

    def point_in_use(self) -> "OperatingPoint | None":
        """Return the operating point that decisions would be made at; None when there is none."""
        from facerec.decision.operating_point_store import OperatingPointStore
        from facerec.errors import OperatingPointError

        store = OperatingPointStore(self.settings.operating_points_dir)
        try:
            return store.in_use(self.embedder.embedding_space)
        except OperatingPointError as error:
            warn(f"no operating point to hold against: {error}")
            return None

    def tested(self, images: Path) -> "TestedSystem":
        """Describe the system under test."""
        from facerec.evaluation.report.subject import TestedSystem

        analysis = self.settings.analysis
        return TestedSystem(
            f"{self.detector.name} {self.detector.version}",
            f"{self.embedder.name} {self.embedder.version}",
            self.embedder.embedding_space,
            (
                ("Close-up", "yes" if analysis.close_up else "no"),
                ("Mirrored chip", "yes" if analysis.mirrored_chip else "no"),
                ("Second look", analysis.second_look or "none"),
                ("Smallest face", f"{analysis.min_face_px} px"),
                ("Least detection score", f"{analysis.min_detection_score:g}"),
                ("Engine", self.settings.inference.engine),
            ),
            "/".join(images.resolve().parts[-2:]).lstrip("/"),
        )


def hand_over(run: "EvaluationRun", report: Path | None, as_json: bool, lines: list[str]) -> None:
    """Write the report, print the figures, and warn."""
    if report is not None:
        from facerec.evaluation.report.writing import write_report

        write_report(report, run.report, run.record, run.attempts)
        messages.print(f"Report: {report / 'index.html'}", soft_wrap=True)
    if as_json:
        emit(run.record)
    else:
        output.print("\n".join(lines), soft_wrap=True)
    for warning in run.warnings:
        warn(warning)


def _analyzers(settings: "Settings") -> "list[FaceAnalyzer]":
    """Load one analyzer a core: a thread a picture beats several threads in one small network."""
    from facerec.assembly import build_analyzer

    inference = settings.inference.model_copy(update={"threads": 1})
    single = settings.model_copy(update={"inference": inference})
    return [build_analyzer(single) for _ in range(settings.inference.threads)]


def _code_hash() -> str:
    """Return a hash of the code of the analysis: changed code must not meet old templates."""
    import facerec.analysis
    import facerec.inference

    digest = hashlib.sha256()
    for package in (facerec.analysis, facerec.inference):
        for path in sorted(Path(package.__path__[0]).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
