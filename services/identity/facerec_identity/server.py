"""The gRPC server: opening the port, loading, serving, draining."""

import asyncio
import contextlib
import signal
from collections.abc import Callable

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from facerec.errors import ServiceError
from facerec.inference import InferenceSession
from facerec.settings import ServerSettings, Settings
from facerec.v1 import admin_service_pb2, enrollment_service_pb2, verification_service_pb2
from facerec.v1.admin_service_pb2_grpc import add_AdminServiceServicer_to_server
from facerec.v1.enrollment_service_pb2_grpc import add_EnrollmentServiceServicer_to_server
from facerec.v1.verification_service_pb2_grpc import add_VerificationServiceServicer_to_server
from facerec_identity.access_interceptor import AccessInterceptor
from facerec_identity.admin_servicer import AdminServicer
from facerec_identity.application import Application, Readiness, load_application
from facerec_identity.batching import BatchingSession
from facerec_identity.call_interceptor import CallInterceptor, Traces
from facerec_identity.calls_in_flight import CallsInFlight
from facerec_identity.enrollment_servicer import EnrollmentServicer
from facerec_identity.error_interceptor import ErrorInterceptor
from facerec_identity.gallery_size import CountsByRevision
from facerec_identity.health_service import HealthService
from facerec_identity.listen_address import ListenAddress
from facerec_identity.log_lines import log_to_stderr
from facerec_identity.memory import keep_giving_back, set_aside_what_is_loaded
from facerec_identity.metrics import Metrics, MetricsPort
from facerec_identity.parse_interceptor import ParseInterceptor
from facerec_identity.security.rate_limit import RateLimit
from facerec_identity.security.security import Security
from facerec_identity.tracing import build_traces
from facerec_identity.verification_servicer import VerificationServicer
from facerec_identity.worker_pool import WorkerPool

__all__ = ["IdentityServer", "serve"]

SERVICES = (
    verification_service_pb2.DESCRIPTOR.services_by_name["VerificationService"].full_name,
    enrollment_service_pb2.DESCRIPTOR.services_by_name["EnrollmentService"].full_name,
    admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"].full_name,
)

_RECORDS_WORKERS = 2
"""Threads for looking up profiles: the database serves readers side by side."""

_LAST_WORDS_S = 1.0
"""Time at most for the last answers to leave the machine once no call is worked on."""

_TRANSPORT_LIMIT = 2
"""Messages of more than so many times the largest that is taken are refused by gRPC itself as they
arrive, without details. Smaller ones are refused by us, with the reason, before they are parsed."""

_LEAST_PING_INTERVAL_MS = 10_000
"""Clients may ping this often; gRPC's own 5 minutes would cut off a gate behind a NAT."""


class IdentityServer:
    """One server on one port; made, started and stopped within one event loop."""

    def __init__(
        self,
        settings: ServerSettings,
        security: Security | None = None,
        traces: Traces | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            settings: Of the server.
            security: What guards it; None for a server that only this machine can reach.
            traces: Makes the traces of calls; None for none.

        Raises:
            ServiceError: the address is none, or is one that others could reach without TLS.
        """
        self._settings = settings
        self._security = Security.without_tls(settings) if security is None else security
        self._address = ListenAddress.parse(settings.listen)
        self._token_address = (
            None if settings.token_listen is None else ListenAddress.parse(settings.token_listen)
        )
        if self._security.tls is None:
            self._address.require_loopback()
            if self._token_address is not None:
                self._token_address.require_loopback()
        self._traces = traces
        self._readiness = Readiness()
        self._metrics = Metrics()
        self._metrics_port: MetricsPort | None = None
        self._health = HealthService(SERVICES)
        self._in_flight = CallsInFlight()
        self._analysis_pool = WorkerPool(
            "facerec-analysis",
            workers=settings.analysis_workers,
            max_queued=settings.max_queued_calls,
        )
        self._records_pool = WorkerPool(
            "facerec-records", workers=_RECORDS_WORKERS, max_queued=settings.max_queued_calls
        )
        self._metrics.watch(
            "analysis_waiting_calls",
            "Calls that wait for analysis now.",
            lambda: self._analysis_pool.waiting,
        )
        self._server = self._build()

    async def open(self) -> ListenAddress:
        """Open the port and answer health checks with NOT_SERVING.

        Returns:
            The address with the port that was really opened.

        Raises:
            ServiceError: the port is taken or not allowed, or a certificate cannot be used.
        """
        tls = self._security.tls
        opened = self._open_port(
            self._address, client_certificates=tls is not None and tls.client_ca is not None
        )
        if self._token_address is not None:
            self._open_port(self._token_address, client_certificates=False)
        if self._settings.metrics_listen is not None:
            self._metrics_port = MetricsPort(self._settings.metrics_listen, self._metrics)
        await self._server.start()
        return opened

    def through_batches(self, session: InferenceSession) -> InferenceSession:
        """Put what joins the runs of several calls, as the settings say, before a network."""
        return BatchingSession(
            session,
            wait_s=self._settings.batch_wait_ms / 1000,
            most=self._settings.batch_views,
            in_flight=lambda: self._analysis_pool.running,
            observe=self._metrics.count_batch,
        )

    def let_in(self, application: Application) -> None:
        """Answer calls from now on."""
        self._metrics.watch(
            "gallery_revision",
            "How often the gallery was changed, by any process.",
            lambda: application.gallery.revision,
        )
        counts = CountsByRevision(application.gallery)
        self._metrics.watch("profiles", "People who are enrolled.", lambda: counts.now().people)
        self._metrics.watch("templates", "Templates of all people.", lambda: counts.now().templates)
        self._readiness.provide(application)
        self._health.set_serving()

    async def drain(self) -> None:
        """Take no new calls, give those in flight time to finish, then close the port.

        The port stays open meanwhile, so that new calls are told UNAVAILABLE and try elsewhere;
        gRPC's own shutdown would tell some of them CANCELLED.
        """
        self._health.stop()
        self._readiness.withdraw()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._in_flight.wait_until_none(), self._settings.drain_s)
        await self._server.stop(_LAST_WORDS_S)
        if self._metrics_port is not None:
            await asyncio.to_thread(self._metrics_port.close)
        await self._analysis_pool.close()
        await self._records_pool.close()

    def _open_port(self, address: ListenAddress, *, client_certificates: bool) -> ListenAddress:
        if not self._settings.share_port:
            address.require_free()
        tls = self._security.tls
        try:
            if tls is None:
                port = self._server.add_insecure_port(str(address))
            else:
                credentials = tls.credentials(client_certificates=client_certificates)
                port = self._server.add_secure_port(str(address), credentials)
        except RuntimeError as error:
            raise ServiceError(
                f"cannot listen on {address}; choose another with --listen HOST:PORT"
            ) from error
        return ListenAddress(address.host, port)

    def _listening(self) -> grpc.aio.Server:
        """Return a server without services, which guards, follows and parses every call."""
        return grpc.aio.server(
            interceptors=(
                self._in_flight,
                CallInterceptor(self._metrics, self._traces),
                ErrorInterceptor(),
                AccessInterceptor(
                    self._security.authenticator,
                    RateLimit(self._settings.calls_per_second_per_client),
                ),
                ParseInterceptor(self._settings.max_message_bytes),
            ),
            options=(
                (
                    "grpc.max_receive_message_length",
                    _TRANSPORT_LIMIT * self._settings.max_message_bytes,
                ),
                # Unasked for, a second server on the same port would take half of the calls.
                ("grpc.so_reuseport", int(self._settings.share_port)),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", _LEAST_PING_INTERVAL_MS),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", _LEAST_PING_INTERVAL_MS),
            ),
        )

    def _build(self) -> grpc.aio.Server:
        server = self._listening()
        add_VerificationServiceServicer_to_server(
            VerificationServicer(
                self._readiness,
                analysis_pool=self._analysis_pool,
                records_pool=self._records_pool,
                metrics=self._metrics,
            ),
            server,
        )
        add_EnrollmentServiceServicer_to_server(
            EnrollmentServicer(
                self._readiness,
                analysis_pool=self._analysis_pool,
                records_pool=self._records_pool,
            ),
            server,
        )
        add_AdminServiceServicer_to_server(
            AdminServicer(
                self._readiness,
                records_pool=self._records_pool,
                metrics=self._metrics,
                waiting=lambda: self._analysis_pool.waiting,
            ),
            server,
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        if self._settings.reflection:
            names = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, server)
        return server


async def serve(settings: Settings, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    Args:
        settings: All settings.
        on_ready: Called once with ``HOST:PORT`` when calls are answered.

    Raises:
        ServiceError: the server cannot listen there.
        SettingsError: OpenTelemetry does not take what its variables say.
        FaceRecError: the networks or the gallery cannot be loaded.
    """
    log_to_stderr(settings.server.log_format, settings.server.log_level)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as opened:
        security = Security.of(settings)
        traces = build_traces(settings.server)
        if traces is not None:
            opened.push_async_callback(asyncio.to_thread, traces.close)
        server = IdentityServer(settings.server, security, traces)
        address = await server.open()
        opened.push_async_callback(server.drain)
        application = await asyncio.to_thread(load_application, settings, server.through_batches)
        set_aside_what_is_loaded()
        giving_back = asyncio.create_task(keep_giving_back())
        opened.callback(giving_back.cancel)
        server.let_in(application)
        on_ready(str(address))
        await stop.wait()
    application.gallery.close()
