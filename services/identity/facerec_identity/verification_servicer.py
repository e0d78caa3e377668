"""The calls of VerificationService."""

import secrets
from collections.abc import Callable
from typing import Any

import grpc

from facerec.errors import PermissionDeniedError, RequestError
from facerec.v1 import verification_service_pb2 as api
from facerec.v1.verification_service_pb2_grpc import VerificationServiceServicer
from facerec_identity.application import Application, Readiness
from facerec_identity.call_record import CALL, GateDecision
from facerec_identity.recognition import Comparison, Identification
from facerec_identity.resource_names import (
    gallery_from_proto,
    gate_from_proto,
    profile_id_from_proto,
)
from facerec_identity.serde import (
    authorization_to_proto,
    comparison_to_proto,
    identification_to_proto,
    image_from_proto,
)
from facerec_identity.worker_pool import CallGuard, WorkerPool

__all__ = ["VerificationServicer"]

Context = grpc.aio.ServicerContext[Any, Any]


class VerificationServicer(VerificationServiceServicer):
    """Reads requests, has them answered in a thread, writes responses."""

    def __init__(self, readiness: Readiness, analysis_pool: WorkerPool) -> None:
        self._readiness = readiness
        self._analysis_pool = analysis_pool

    async def Verify(self, request: api.VerifyRequest, context: Context) -> api.VerifyResponse:
        """1:1."""
        job = _verification(request, self._readiness.require())
        answer = await self._analysis_pool.run(job, time_remaining_s=context.time_remaining())
        return comparison_to_proto(answer)

    async def Identify(
        self, request: api.IdentifyRequest, context: Context
    ) -> api.IdentifyResponse:
        """1:N."""
        job = _identification(request, self._readiness.require())
        answer = await self._analysis_pool.run(job, time_remaining_s=context.time_remaining())
        return identification_to_proto(answer)

    async def Authorize(
        self, request: api.AuthorizeRequest, context: Context
    ) -> api.AuthorizeResponse:
        """Answer a gate."""
        gate = gate_from_proto(request.gate, "gate")
        call = CALL.get()
        if call is None or call.caller is None or not call.caller.speaks_for(gate):
            raise PermissionDeniedError("the caller may not speak for this gate")
        gatekeeper = self._readiness.require().gatekeeper
        image = image_from_proto(request.image, "image")
        answer = await self._analysis_pool.run(
            lambda guard: gatekeeper.authorize(gate, image, guard),
            time_remaining_s=context.time_remaining(),
        )
        profile_id = "" if answer.profile is None else answer.profile.profile_id
        decision_id = secrets.token_hex(8)
        call.decision = GateDecision(decision_id, gate, answer.outcome.value, profile_id)
        return authorization_to_proto(answer, decision_id)


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


def _identification(
    request: api.IdentifyRequest, application: Application
) -> Callable[[CallGuard], Identification]:
    image = image_from_proto(request.image, "image")
    named = [
        gallery_from_proto(name, f"galleries[{i}]") for i, name in enumerate(request.galleries)
    ]
    galleries = list(dict.fromkeys(named)) or [application.default_gallery]
    main_only = request.face_selection == api.FACE_SELECTION_MAIN
    return lambda guard: application.recognition.identify(
        image, guard, galleries=galleries, main_only=main_only
    )
