"""The calls of VerificationService."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import grpc

from facerec.decision.auditing import identification_event, verification_event
from facerec.errors import PermissionDeniedError, RequestError
from facerec.gallery.audit.event import AuditEvent
from facerec.v1 import verification_service_pb2 as api
from facerec.v1.verification_service_pb2_grpc import VerificationServiceServicer
from facerec_identity.application import Application, Readiness
from facerec_identity.call_record import (
    CALL,
    GateDecision,
    ServiceStage,
    caller_of_call,
    note_decision,
    observe_stage,
    recheck_caller,
)
from facerec_identity.decision_watch import (
    DecisionPage,
    decisions_after,
    follow,
    number_of_token,
    token_of_number,
)
from facerec_identity.face_reader import RequestImage
from facerec_identity.gate_stream import GateFrames, GateStream, StreamFrame, converse
from facerec_identity.gatekeeping import Authorization, authorization_event, authorize
from facerec_identity.metrics import Metrics
from facerec_identity.recognition import Comparison, Identification
from facerec_identity.resource_names import (
    gallery_from_proto,
    gate_from_proto,
    profile_id_from_proto,
)
from facerec_identity.security.caller import Role
from facerec_identity.serde import (
    authorization_to_proto,
    comparison_to_proto,
    decision_to_proto,
    identification_to_proto,
    image_from_proto,
    turn_to_proto,
)
from facerec_identity.worker_pool import CallGuard, WorkerPool

__all__ = ["VerificationServicer"]

Context = grpc.aio.ServicerContext[Any, Any]
T = TypeVar("T")

_WATCH_EVERY_S = 0.25
"""How often a watcher looks into the journal, whose entries may come from other processes."""

_PREVIOUS_ATTEMPTS = "grpc-previous-rpc-attempts"
"""What a client's gRPC library sends with a call that it repeats (gRFC A6)."""


class VerificationServicer(VerificationServiceServicer):
    """Reads requests, has them answered in a thread, writes responses."""

    def __init__(
        self,
        readiness: Readiness,
        *,
        analysis_pool: WorkerPool,
        records_pool: WorkerPool,
        metrics: Metrics,
    ) -> None:
        self._readiness = readiness
        self._analysis_pool = analysis_pool
        self._records_pool = records_pool
        self._metrics = metrics

    async def Verify(self, request: api.VerifyRequest, context: Context) -> api.VerifyResponse:
        """1:1."""
        application = self._readiness.require()
        job = _verification(request, application)
        answer = await self._analysis_pool.run(job, time_remaining_s=context.time_remaining())
        claimed = profile_id_from_proto(request.profile, "profile") if request.profile else None
        _enter(application, verification_event(answer.verification, claimed))
        return comparison_to_proto(answer)

    async def Identify(
        self, request: api.IdentifyRequest, context: Context
    ) -> api.IdentifyResponse:
        """1:N."""
        application = self._readiness.require()
        galleries = _galleries(request, application)
        job = _identification(request, application, galleries)
        answer = await self._analysis_pool.run(job, time_remaining_s=context.time_remaining())
        place = ",".join(galleries)
        _enter(
            application,
            *(identification_event(decision, place=place) for decision in answer.decisions),
        )
        return identification_to_proto(answer)

    async def Authorize(
        self, request: api.AuthorizeRequest, context: Context
    ) -> api.AuthorizeResponse:
        """Answer a gate."""
        gate = _own_gate(request.gate, "gate")
        application = self._readiness.require()
        keeper, image = application.gates.keeper(gate), image_from_proto(request.image, "image")
        sent_before = _PREVIOUS_ATTEMPTS in dict(context.invocation_metadata() or ())
        answer = await self._analysis_pool.run(
            lambda guard: authorize(
                application.recognition,
                keeper,
                image,
                guard,
                decision_id=_new_id(),
                now=datetime.now(UTC),
                sent_before=sent_before,
            ),
            time_remaining_s=context.time_remaining(),
        )
        self._note(application, answer)
        return authorization_to_proto(answer)

    async def StreamAuthorize(
        self, requests: AsyncIterator[api.StreamAuthorizeRequest], context: Context
    ) -> AsyncIterator[api.StreamAuthorizeResponse]:
        """Answer a gate's camera."""
        first = await anext(aiter(requests), api.StreamAuthorizeRequest())
        if first.WhichOneof("content") != "config":
            raise RequestError("must be the first message", field="config")
        application = self._readiness.require()
        stream = _stream(application, _own_gate(first.config.gate, "config.gate"))
        frames = GateFrames()

        async def look(frame: StreamFrame) -> tuple[Authorization, ...]:
            left_s = context.time_remaining()
            try:
                return await self._analysis_pool.run(
                    lambda guard: stream.look(frame, guard), time_remaining_s=left_s
                )
            finally:
                self._count_frame()

        async def take(within_s: float) -> StreamFrame | None:
            return await self._readiness.unless_stopping(frames.take(within_s))

        filling = asyncio.create_task(frames.fill(_pictures(requests)))
        try:
            yield api.StreamAuthorizeResponse(ready=api.StreamAuthorizeReady())
            async for turn in converse(frames, look, take):
                recheck_caller()
                if turn.answer is not None:
                    self._note(application, turn.answer)
                yield turn_to_proto(turn)
        finally:
            filling.cancel()
            await asyncio.wait((filling,))

    async def WatchDecisions(
        self, request: api.WatchDecisionsRequest, context: Context
    ) -> AsyncIterator[api.WatchDecisionsResponse]:
        """Tell every answer to gates."""
        gates = _watched_gates(request)
        gallery = self._readiness.require().gallery

        async def read(number: int) -> DecisionPage:
            return await self._look_up(lambda: decisions_after(gallery, number, gates))

        async def pause() -> None:
            await self._readiness.unless_stopping(asyncio.sleep(_WATCH_EVERY_S))

        if request.resume_token:
            begin = number_of_token(request.resume_token)
        else:
            begin = await self._look_up(lambda: gallery.journal.last_number)
        async for entry, number in follow(begin, read, pause):
            recheck_caller()
            yield api.WatchDecisionsResponse(
                decision=None if entry is None else decision_to_proto(entry),
                resume_token=token_of_number(number),
            )

    def _count_frame(self) -> None:
        """Tell the metrics what a frame took now: a gate's stream lasts for days."""
        if (call := CALL.get()) is not None:
            self._metrics.count_work(call)

    def _note(self, application: Application, answer: Authorization) -> None:
        """Enter an answer to a gate in journal, log and metrics."""
        _enter(application, authorization_event(answer))
        self._metrics.count_decision(answer.gate, answer.outcome.value)
        profile_id = "" if answer.profile is None else answer.profile.profile_id
        note_decision(
            GateDecision(answer.decision_id, answer.gate, answer.outcome.value, profile_id)
        )

    async def _look_up(self, job: Callable[[], T]) -> T:
        return await self._records_pool.run(lambda _: job(), time_remaining_s=None)


def _enter(application: Application, *events: AuditEvent) -> None:
    """Hand decisions to the audit journal, which writes them in the background."""
    with observe_stage(ServiceStage.JOURNAL):
        application.gallery.record(*events)


def _new_id() -> str:
    return secrets.token_hex(8)


def _own_gate(resource: str, field: str) -> str:
    """Return the name of a gate that the caller may speak for.

    Raises:
        PermissionDeniedError: it may not.
    """
    gate = gate_from_proto(resource, field)
    if not caller_of_call().speaks_for(gate):
        raise PermissionDeniedError("the caller may not speak for this gate")
    return gate


def _watched_gates(request: api.WatchDecisionsRequest) -> frozenset[str]:
    """Return the gates that a watcher names.

    Raises:
        PermissionDeniedError: the caller may not watch them, or all.
    """
    named = enumerate(request.gates)
    gates = frozenset(gate_from_proto(name, f"gates[{i}]") for i, name in named)
    caller = caller_of_call()
    if caller.roles <= {Role.GATE, Role.ENROLLER} and not (
        gates and all(map(caller.speaks_for, gates))
    ):
        raise PermissionDeniedError("the caller may watch the gates only that it speaks for")
    return gates


def _stream(application: Application, gate: str) -> GateStream:
    keeper = application.gates.keeper(gate)
    searched = keeper.rules.searched
    application.gallery.require_galleries(searched)
    return GateStream(
        application.recognition.reader,
        application.monitors.monitor(f"{gate}/{_new_id()}", searched, keeper.rules),
        keeper,
        application.gallery,
        target_fpir=application.recognition.recognizer.target_fpir,
        new_id=_new_id,
    )


async def _pictures(
    requests: AsyncIterator[api.StreamAuthorizeRequest],
) -> AsyncIterator[tuple[RequestImage, float | None]]:
    """Yield the pictures of a stream, and when each was taken."""
    async for request in requests:
        if request.WhichOneof("content") != "frame":
            raise RequestError("must be in every message after the first", field="frame")
        frame = request.frame
        given = frame.HasField("capture_offset")
        offset_s = frame.capture_offset.ToNanoseconds() / 1e9 if given else None
        yield image_from_proto(frame.image, "frame.image"), offset_s


def _verification(
    request: api.VerifyRequest, application: Application
) -> Callable[[CallGuard], Comparison]:
    recognition = application.recognition
    probe = image_from_proto(request.probe, "probe")
    kind = request.WhichOneof("reference")
    if kind == "profile":
        profile_id = profile_id_from_proto(request.profile, "profile")
        return lambda guard: recognition.verify_profile(probe, profile_id, guard)
    if kind == "reference_image":
        reference = image_from_proto(request.reference_image, "reference_image")
        return lambda guard: recognition.verify_images(probe, reference, guard)
    raise RequestError("name a profile or send a reference_image", field="reference")


def _galleries(request: api.IdentifyRequest, application: Application) -> list[str]:
    """Return the names of the galleries to search, each once."""
    named = [
        gallery_from_proto(name, f"galleries[{i}]") for i, name in enumerate(request.galleries)
    ]
    return list(dict.fromkeys(named)) or [application.default_gallery]


def _identification(
    request: api.IdentifyRequest, application: Application, galleries: Sequence[str]
) -> Callable[[CallGuard], Identification]:
    image = image_from_proto(request.image, "image")
    main_only = request.face_selection == api.FACE_SELECTION_MAIN
    return lambda guard: application.recognition.identify(
        image, guard, galleries=galleries, main_only=main_only
    )
