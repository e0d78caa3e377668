"""The server's parts in the test's own event loop, where the moment of everything can be chosen."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from numpy.typing import NDArray

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.analysis.embedding import Embeddings
from facerec.analysis.faces import Faces
from facerec.client import AsyncGateClient, CallError
from facerec.decision.enrolment_check import EnrolmentCheck
from facerec.decision.enrolment_rules import EnrolmentRules
from facerec.decision.recognizer import Recognizer
from facerec.gallery.gallery import Gallery
from facerec.inference import Alignment
from facerec.monitor_assembly import MonitorMaker
from facerec.settings import ServerSettings, Settings
from facerec.v1 import verification_service_pb2 as verification
from facerec.v1.verification_service_pb2_grpc import (
    VerificationServiceServicer,
    VerificationServiceStub,
    add_VerificationServiceServicer_to_server,
)
from facerec_identity.application import Application
from facerec_identity.calls_in_flight import CallsInFlight
from facerec_identity.enrolment import Registrar
from facerec_identity.error_interceptor import ErrorInterceptor
from facerec_identity.face_reader import FaceReader
from facerec_identity.gates import Gates
from facerec_identity.parse_interceptor import ParseInterceptor
from facerec_identity.recognition import Recognition
from facerec_identity.server import IdentityServer
from tests.integration.identity import pictures

SECRET = "Ada Lovelace"


class HeldDetector:
    """A detector that finds nobody, once it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.let_go = threading.Event()

    def detect(self, image_bgr: NDArray[np.uint8], *, min_face_px: int, min_score: float) -> Faces:
        self.entered.set()
        self.let_go.wait()
        return Faces.empty()


class NoEmbedder:
    """An embedder of a space in which nobody is enrolled."""

    embedding_space = "test"
    alignment = Alignment(8, ((1, 1), (5, 1), (3, 3), (2, 5), (4, 5)))

    def embed(self, chips_bgr: NDArray[np.uint8], *, mirrored: bool) -> NDArray[np.float32]:
        return np.ones((len(chips_bgr), 1), np.float32)

    def embed_assessed(
        self,
        chips_bgr: NDArray[np.uint8],
        *,
        mirrored: bool,
        mirror_of_bgr: NDArray[np.uint8] | None = None,
    ) -> Embeddings:
        ones = np.ones(len(chips_bgr), np.float32)
        return Embeddings(self.embed(chips_bgr, mirrored=mirrored), ones)


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    return Gallery.open(tmp_path / "gallery.db")


def application(detector: HeldDetector, gallery: Gallery, recognizer: Recognizer) -> Application:
    analyzer = FaceAnalyzer(
        detector, NoEmbedder(), min_face_px=24, min_detection_score=0.5, mirrored=False
    )
    reader = FaceReader(analyzer, max_image_pixels=1_000_000)
    return Application(
        recognition=Recognition(reader, gallery, recognizer),
        registrar=Registrar(
            reader,
            gallery,
            0.0,
            EnrolmentCheck(
                gallery, recognizer.operating_point, EnrolmentRules(1e-3, 1e-2, 1e-3, 0.05)
            ),
        ),
        gallery=gallery,
        default_gallery="default",
        gates=Gates({}, gallery.path.with_name("gates.json"), gallery),
        monitors=MonitorMaker(Settings(), gallery, analyzer, recognizer),
        settings=Settings(),
    )


async def test_before_the_networks_are_warm() -> None:
    server = IdentityServer(ServerSettings(listen="127.0.0.1:0"))
    address = str(await server.open())
    async with (
        AsyncGateClient(address, timeout_s=30) as gate,
        grpc.aio.insecure_channel(address) as channel,
    ):
        health = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert health.status == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(CallError) as caught:
            await gate.identify(b"")
    assert (caught.value.status, caught.value.reason) == ("UNAVAILABLE", "NOT_READY")
    assert caught.value.retry_after_s == 1.0
    await server.drain()


async def test_a_call_that_outlasts_the_time_to_drain_is_given_up(
    gallery: Gallery, recognizer: Recognizer
) -> None:
    detector = HeldDetector()
    server = IdentityServer(ServerSettings(listen="127.0.0.1:0", drain_s=0.05))
    address = str(await server.open())
    server.let_in(application(detector, gallery, recognizer))
    async with AsyncGateClient(address, timeout_s=60) as gate:
        call = asyncio.create_task(gate.identify(pictures.nobody()))
        await asyncio.to_thread(detector.entered.wait)
        draining = asyncio.create_task(server.drain())
        with pytest.raises(CallError):
            await call
        detector.let_go.set()
        await draining


async def test_a_call_that_is_cancelled_while_it_waits_is_never_worked_on(
    gallery: Gallery, recognizer: Recognizer
) -> None:
    detector = HeldDetector()
    settings = ServerSettings(listen="127.0.0.1:0", analysis_workers=1, max_queued_calls=1)
    server = IdentityServer(settings)
    address = str(await server.open())
    server.let_in(application(detector, gallery, recognizer))
    async with (
        AsyncGateClient(address, timeout_s=60) as gate,
        AsyncGateClient(address, timeout_s=1) as hasty,
    ):
        first = asyncio.create_task(gate.identify(pictures.nobody()))
        await asyncio.to_thread(detector.entered.wait)
        detector.entered.clear()
        with pytest.raises(CallError) as caught:
            await hasty.identify(pictures.nobody())
        assert caught.value.status == "DEADLINE_EXCEEDED"
        detector.let_go.set()
        assert (await first).reasons == ("no_face",)
        assert not detector.entered.is_set()
        assert (await gate.identify(pictures.nobody())).reasons == ("no_face",)
    await server.drain()


class Broken(VerificationServiceServicer):
    """Fails as no code of ours should."""

    async def Identify(self, request, context):
        raise ValueError(f"no template of {SECRET}")


@asynccontextmanager
async def broken_server() -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server(
        interceptors=(CallsInFlight(), ErrorInterceptor(), ParseInterceptor(10_000))
    )
    add_VerificationServiceServicer_to_server(Broken(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(None)


async def test_a_fault_of_ours_reveals_nothing_to_the_caller_nor_to_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with broken_server() as channel:
        with caplog.at_level(logging.DEBUG), pytest.raises(grpc.aio.AioRpcError) as caught:
            await VerificationServiceStub(channel).Identify(verification.IdentifyRequest())
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert SECRET not in str(caught.value)
    assert "ValueError" not in str(caught.value)
    # The log says what and where, for whoever mends it, but not whom it was about.
    (record,) = [r for r in caplog.records if r.name.startswith("facerec_identity")]
    assert "ValueError" in record.getMessage()
    assert "test_inside_one_loop.py" in record.getMessage()
    assert SECRET not in caplog.text
