"""What the server's calls work with, loaded and warmed before the first of them."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.analysis.faces import Faces
from facerec.assembly import (
    SessionWrapper,
    build_analyzer,
    build_enrolment_check,
    build_recognizer,
    open_gallery,
)
from facerec.errors import NotReadyError
from facerec.gallery.audit.event import Actor
from facerec.gallery.gallery import Gallery
from facerec.monitor_assembly import MonitorMaker
from facerec.settings import Settings
from facerec_identity.call_record import CALL, observe_stage
from facerec_identity.enrolment import Registrar
from facerec_identity.face_reader import FaceReader
from facerec_identity.gates import Gates
from facerec_identity.recognition import Recognition

__all__ = ["Application", "Readiness", "load_application"]

T = TypeVar("T")

_WARM_UP_SIDE_PX = 320
"""Side of the picture of the warm-up run; its content doesn't matter."""


@dataclass(frozen=True)
class Application:
    """The loaded networks and the open gallery, behind the questions that calls ask.

    Attributes:
        recognition: Answers 1:1 and 1:N questions.
        registrar: Enrols.
        gallery: Who is enrolled.
        default_gallery: Gallery that calls mean which name none.
        gates: The gates that may ask.
        monitors: Makes what follows people over the frames of a gate's camera.
        settings: Of the home.
    """

    recognition: Recognition
    registrar: Registrar
    gallery: Gallery
    default_gallery: str
    gates: Gates
    monitors: MonitorMaker
    settings: Settings

    def by(self, actor: Actor) -> "Application":
        """Return the same for the work of one call, which the audit journal names."""
        people = self.gallery.by(actor)
        return replace(
            self,
            gallery=people,
            recognition=replace(self.recognition, gallery=people),
            registrar=replace(self.registrar, gallery=people),
        )


class Readiness:
    """Holds the application while calls may use it."""

    def __init__(self) -> None:
        self._application: Application | None = None
        self._stopping = False
        self._withdrawn = asyncio.Event()

    def provide(self, application: Application) -> None:
        """Let calls in."""
        self._application = application

    def withdraw(self) -> None:
        """Let no further call in."""
        self._stopping = True
        self._withdrawn.set()

    def require(self) -> Application:
        """Return the application, for work on behalf of whoever makes the present call.

        Raises:
            NotReadyError: it is not loaded yet, or the server is stopping.
        """
        if self._stopping:
            raise NotReadyError("the server is stopping; try another, or this one again later")
        if self._application is None:
            raise NotReadyError("the server is loading its networks; try again in a second")
        call = CALL.get()
        if call is None or call.caller is None:
            return self._application
        return self._application.by(Actor(call.caller.name, call.request_id))

    async def unless_stopping(self, waiting: Coroutine[Any, Any, T]) -> T:
        """Wait for something, as long as calls are let in.

        Raises:
            NotReadyError: the server is stopping.
        """
        task, stop = asyncio.create_task(waiting), asyncio.create_task(self._withdrawn.wait())
        try:
            await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise NotReadyError("the server is stopping; try another, or this one again later")
            return task.result()
        finally:
            task.cancel()
            stop.cancel()


def load_application(settings: Settings, before_embedder: SessionWrapper) -> Application:
    """Load the networks, run each once, and open the gallery.

    Args:
        settings: Of the home.
        before_embedder: Puts something before the embedder's network, such as what joins its runs.

    Raises:
        ModelNotFoundError: a network was not pulled.
        ModelDamagedError: a network's file is not what its manifest says.
        OperatingPointError: no threshold is known for the embedder.
        GalleryDamagedError: the database is not a gallery.
    """
    analyzer = build_analyzer(settings, observe_stage, before_embedder)
    recognizer = build_recognizer(settings, analyzer.embedding_space, observe_stage)
    _warm_up(analyzer)
    gallery = open_gallery(settings)
    reader = FaceReader(analyzer, max_image_pixels=settings.analysis.max_image_pixels)
    return Application(
        recognition=Recognition(reader, gallery, recognizer),
        registrar=Registrar(
            reader,
            gallery,
            min_quality=settings.decision.min_quality,
            check=build_enrolment_check(settings, gallery, analyzer.embedding_space),
            keep_images=settings.enrolment.keep_images,
        ),
        gallery=gallery,
        default_gallery=settings.gallery,
        gates=Gates(settings.gates, settings.gates_path, gallery),
        monitors=MonitorMaker(settings, gallery, analyzer, recognizer),
        settings=settings,
    )


def _warm_up(analyzer: FaceAnalyzer) -> None:
    """Run both networks once, so that the first call pays for no lazy set-up of theirs."""
    side = float(_WARM_UP_SIDE_PX)
    picture = np.full((_WARM_UP_SIDE_PX, _WARM_UP_SIDE_PX, 3), 127, np.uint8)
    analyzer.detect(picture)
    # A made-up face, as grey shows none; the five points lie about where they do on a face.
    points = np.array([(0.35, 0.4), (0.65, 0.4), (0.5, 0.55), (0.38, 0.7), (0.62, 0.7)])
    face = Faces(
        boxes_xyxy_px=np.array([[0.2, 0.2, 0.8, 0.8]], np.float32) * np.float32(side),
        detection_scores=np.ones(1, np.float32),
        landmarks_px=(points[None] * side).astype(np.float32),
    )
    analyzer.embed(picture, face)
