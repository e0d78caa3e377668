"""``facerec evaluate video``: who is named in clips of known people, and how soon."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.console import Home, Json, stated_failures
from facerec.cli.evaluation_setup import ReportOption, TemplateMaker, evaluation_settings, hand_over
from facerec.cli.progress import progress_over

if TYPE_CHECKING:
    from facerec.analysis.analyzer import FaceAnalyzer
    from facerec.evaluation.protocols.video import ClipTrack, LabelledClip
    from facerec.gallery.profile import NewTemplate
    from facerec.settings import Settings

__all__ = ["video"]

TEMPLATES_EACH = 3
SAMPLED_EVERY_S = 0.5


def video(
    clips: Annotated[Path, typer.Option("--clips", help="Folder of clips.", show_default=False)],
    labels: Annotated[
        Path,
        typer.Option("--labels", help="CSV with the columns clip and person.", show_default=False),
    ],
    report: ReportOption = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Enrol people from their first clip, watch their others, with them enrolled and without."""
    with stated_failures():
        from facerec.evaluation.protocols.video import VideoResult, read_clips
        from facerec.evaluation.runs.video_run import video_run

        labelled = read_clips(clips, labels)
        maker = TemplateMaker.of(evaluation_settings(home))
        passes = _watch_all(labelled, maker.settings)
        tracks = tuple(track for found in passes for track in found)
        empty = sum(not found for found in passes)
        run = video_run(maker.tested(clips), VideoResult(tracks, len(passes), empty))
        hand_over(run, report, as_json, [run.report.summary])


def _watch_all(
    labelled: "tuple[LabelledClip, ...]", settings: "Settings"
) -> "list[tuple[ClipTrack, ...]]":
    """Enrol everybody from their first clip; watch each other clip in two galleries."""
    from facerec.assembly import build_analyzer
    from facerec.errors import EvaluationError
    from facerec.evaluation.protocols.video import watch_clip
    from facerec.gallery.gallery import Gallery
    from facerec.monitor_assembly import build_monitors

    first = {clip.person: clip for clip in reversed(labelled)}
    watched = [clip for clip in labelled if first[clip.person] is not clip]
    if not watched:
        raise EvaluationError("nobody has a second clip, so there is nothing to watch")
    everybody = sorted(first)
    analyzer = build_analyzer(settings)
    found = []
    with (
        tempfile.TemporaryDirectory() as scratch,
        Gallery.open(Path(scratch) / "gallery.db") as gallery,
        progress_over(2 * len(watched), "Watching clips") as advance,
    ):
        for name in ("all", *(f"without-{i}" for i in range(len(everybody)))):
            gallery.create_gallery(name)
        for i, person in enumerate(everybody):
            others = [f"without-{j}" for j in range(len(everybody)) if j != i]
            templates = _templates(first[person], analyzer)
            gallery.enrol(person, templates, galleries=["all", *others])
        for clip in watched:
            without = f"without-{everybody.index(clip.person)}"
            for name, enrolled in (("all", True), (without, False)):
                monitor = build_monitors(settings, gallery, [name])(clip.path.stem)
                found.append(watch_clip(clip, monitor, enrolled=enrolled, advance=lambda: None))
                advance(1)
    return found


def _templates(clip: "LabelledClip", analyzer: "FaceAnalyzer") -> "list[NewTemplate]":
    """Return the templates of the best looks at the main face of a clip."""
    import numpy as np

    from facerec.analysis.main_face import main_face
    from facerec.errors import EvaluationError
    from facerec.gallery.profile import NewTemplate
    from facerec.video.open_source import open_source

    looks: list[NewTemplate] = []
    due_s = 0.0
    with open_source(str(clip.path)) as source:
        for frame in source:
            if frame.clock_s < due_s:
                continue
            due_s = frame.clock_s + SAMPLED_EVERY_S
            faces = analyzer.detect(frame.image_bgr)
            index = main_face(faces, frame.image_bgr.shape)
            if index is None:
                continue
            face = analyzer.embed(frame.image_bgr, faces[np.array([index])])
            if face.embeddings is not None and face.quality is not None:
                quality = float(face.quality.overall[0])
                looks.append(
                    NewTemplate(
                        embedding=face.embeddings[0],
                        embedding_space=analyzer.embedding_space,
                        quality=quality,
                        source=clip.path.name,
                    )
                )
    if not looks:
        raise EvaluationError(f"no face is seen in {clip.path.name}, so nobody can be enrolled")
    return sorted(looks, key=lambda look: -look.quality)[:TEMPLATES_EACH]
