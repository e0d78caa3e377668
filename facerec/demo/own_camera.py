"""The demo with the user's own camera: enrol yourself, be watched, pass the gate."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.assembly import build_analyzer, open_gallery
from facerec.decision.enrolment import assess_picture
from facerec.demo.check import Check
from facerec.demo.contact_sheet import Portrait, contact_sheet
from facerec.demo.folder import DemoFolder
from facerec.demo.gate import ask_identify, ask_verify, connect, running_server
from facerec.demo.networks import ready_networks
from facerec.demo.recording import Recording, record
from facerec.demo.result import DemoResult
from facerec.errors import SourceError
from facerec.gallery.profile import NewTemplate
from facerec.models.progress import Progress
from facerec.settings import Settings
from facerec.video import open_source
from facerec.video.frame import Frame
from facerec.video.monitor import Observation
from facerec.video.source import FrameSource

__all__ = ["Person", "run_camera_demo"]

_TEMPLATES = 3
_APART_S = 0.3
_LOOK_FOR_S = 10.0


@dataclass(frozen=True)
class Person:
    """Who stands before the camera and agreed to be enrolled.

    Attributes:
        name: Their name.
        consent: How they agreed, in words; kept with the profile.
    """

    name: str
    consent: str


def run_camera_demo(
    user: Settings, root: Path, progress: Progress, *, spec: str, person: Person, watch_s: float
) -> DemoResult:
    """Enrol whoever stands before a camera from the first seconds, then watch and ask the gate.

    Args:
        user: Settings of the user's home, whose networks are used (and pulled when missing).
        root: Folder for the demo's files.
        progress: Told of every stage.
        spec: Device number, URL or file; a file plays as a camera would.
        person: Who stands there.
        watch_s: How long to watch after enrolment, seconds; a file may end sooner.

    Raises:
        SourceError: there is no such camera, or nobody stands before it.
    """
    began_s = perf_counter()
    folder = DemoFolder(root)
    settings = folder.prepare(user)
    ready_networks(user, settings, progress)
    with open_source(spec, realtime=True) as source:
        progress.stage(f"enrolling: look into {source.name}")
        profile_id, portrait = _enrol(source, settings, person)
        progress.stage("watching: walk about")
        recording, last = _watch(source, folder, settings, progress, watch_s)
    progress.stage("asking a server as a gate would")
    with running_server(folder.home, folder.server_log) as address, connect(address) as gate:
        picture = person.name, _png(last)
        asked = (
            ask_verify(gate, picture, profile_id, person.name, expected="match"),
            ask_identify(gate, picture, expected=person.name),
        )
    card = Portrait(portrait, person.name, ("Enrolled from the first seconds.",))
    sheet = contact_sheet("facerec: who comes to the gate?", (card,), recording.key_frames)
    cv2.imwrite(str(folder.sheet), sheet)
    remarks = f"Your templates are in {folder.home} alone; delete {folder.root} to erase all of it."
    checks = (_check(recording, person.name), *asked)
    return DemoResult(checks, folder, remarks, perf_counter() - began_s)


def _enrol(
    source: FrameSource, settings: Settings, person: Person
) -> tuple[str, NDArray[np.uint8]]:
    """Enrol the one face before the camera; return its profile id and a picture of it."""
    analyzer = build_analyzer(settings)
    templates: list[NewTemplate] = []
    portrait: NDArray[np.uint8] | None = None
    reasons: tuple[str, ...] = ()
    for frame in _spaced(source):
        picture = assess_picture(
            analyzer,
            frame.image_bgr,
            source=source.name,
            min_quality=settings.decision.min_quality,
        )
        reasons = tuple(reason.value for reason in picture.reasons) or reasons
        if picture.template is not None:
            templates.append(picture.template)
            portrait = frame.image_bgr
        if len(templates) == _TEMPLATES:
            break
    if portrait is None:
        raise SourceError(
            f"no face before {source.name} was fit for enrolment ({', '.join(reasons)}); stand "
            "alone in good light, look into the camera, and try again"
        )
    with open_gallery(settings) as gallery:
        gallery.create_gallery(settings.gallery)
        profile = gallery.enrol(
            person.name, templates, galleries=[settings.gallery], consent=person.consent
        )
    return profile.profile_id, portrait


def _spaced(source: FrameSource) -> Iterator[Frame]:
    """Yield frames some time apart, for as long as somebody is looked for."""
    due_s = 0.0
    for frame in source:
        if frame.clock_s > _LOOK_FOR_S:
            return
        if frame.clock_s >= due_s:
            due_s = frame.clock_s + _APART_S
            yield frame


def _watch(
    source: FrameSource,
    folder: DemoFolder,
    settings: Settings,
    progress: Progress,
    watch_s: float,
) -> tuple[Recording, NDArray[np.uint8]]:
    """Watch for a while; return what came of it and the frame with the best face."""
    began_s = perf_counter()
    best = _BestFace()

    def see(observation: Observation) -> None:
        progress.advance(round(perf_counter() - began_s), round(watch_s))
        best.see(observation)

    recording = record(
        source,
        folder,
        settings,
        see=see,
        stopped=lambda: perf_counter() - began_s >= watch_s,
    )
    if best.image_bgr is None:
        raise SourceError(f"nobody stood alone before {source.name} while it was watched")
    return recording, best.image_bgr


@dataclass
class _BestFace:
    """The frame with the best single face so far."""

    image_bgr: NDArray[np.uint8] | None = None
    quality: float = -1.0

    def see(self, observation: Observation) -> None:
        """Look at the next frame."""
        alone = len(observation.tracks) == 1
        if alone and observation.tracks[0].quality > self.quality:
            self.quality = observation.tracks[0].quality
            self.image_bgr = observation.frame.image_bgr


def _check(recording: Recording, name: str) -> Check:
    """Say whether the person was named, and nobody else was."""
    named = [decision for decision in recording.decisions if decision.name]
    told = next(iter(named or recording.decisions), None)
    outcome = "not seen" if told is None else told.verdict.decision.outcome.value
    return Check(
        step="watch",
        subject=name,
        expected=name,
        answered=(told.name if told else None) or outcome,
        similarity=told.verdict.decision.similarity if told else None,
        threshold=told.verdict.decision.threshold if told else None,
        seconds=told.verdict.latency_s if told else None,
    )


def _png(image_bgr: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", image_bgr)[1].tobytes()
