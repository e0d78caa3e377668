"""The calls of AdminService."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import grpc

from facerec.decision.operating_point_store import FACTORY, OperatingPointStore
from facerec.errors import RequestError, ServiceError
from facerec.gallery.audit.event import AuditEvent, AuditKind
from facerec.models.listing import list_models
from facerec.models.store import ModelStore
from facerec.v1 import admin_service_pb2 as api
from facerec.v1.admin_service_pb2_grpc import AdminServiceServicer
from facerec_identity.admin_serde import (
    audit_filter_from_proto,
    entry_to_proto,
    gate_to_message,
    model_to_proto,
    operating_point_to_proto,
    policy_from_proto,
)
from facerec_identity.application import Application, Readiness
from facerec_identity.gates import Gates
from facerec_identity.metrics import Metrics
from facerec_identity.paging import key_of_token, page_of, page_size, token_of_key
from facerec_identity.profile_serde import timestamp_to_proto
from facerec_identity.resource_names import (
    gallery_from_proto,
    gallery_to_proto,
    gate_from_proto,
    gate_to_proto,
)
from facerec_identity.security.grants import plain_name
from facerec_identity.worker_pool import WorkerPool

__all__ = ["AdminServicer"]

Context = grpc.aio.ServicerContext[Any, Any]
T = TypeVar("T")


class AdminServicer(AdminServiceServicer):
    """Reads requests, has them answered in a thread, writes responses."""

    def __init__(
        self,
        readiness: Readiness,
        *,
        records_pool: WorkerPool,
        metrics: Metrics,
        waiting: Callable[[], int],
    ) -> None:
        """Compose.

        Args:
            readiness: Holds what calls work with.
            records_pool: Threads for looking things up.
            metrics: Counts decisions.
            waiting: Tells how many calls wait for analysis now.
        """
        self._readiness = readiness
        self._records_pool = records_pool
        self._metrics = metrics
        self._waiting = waiting
        self._started = datetime.now(UTC)

    async def ListGalleries(
        self, request: api.ListGalleriesRequest, context: Context
    ) -> api.ListGalleriesResponse:
        """Return a page of galleries."""
        gallery = self._readiness.require().gallery
        counts = await self._look_up(gallery.people_by_gallery, context)
        size, token = request.page_size, request.page_token
        page = page_of(sorted(counts), lambda name: name, size=size, token=token, scope="")
        return api.ListGalleriesResponse(
            galleries=[_gallery(name, counts[name]) for name in page.items],
            next_page_token=page.next_token,
        )

    async def GetGallery(
        self, request: api.GetGalleryRequest, context: Context
    ) -> api.GetGalleryResponse:
        """Return one gallery."""
        gallery, name = self._readiness.require().gallery, gallery_from_proto(request.name, "name")
        await self._look_up(lambda: gallery.require_galleries([name]), context)
        counts = await self._look_up(gallery.people_by_gallery, context)
        return api.GetGalleryResponse(gallery=_gallery(name, counts.get(name, 0)))

    async def CreateGallery(
        self, request: api.CreateGalleryRequest, context: Context
    ) -> api.CreateGalleryResponse:
        """Make a gallery."""
        gallery, name = self._readiness.require().gallery, request.gallery_id
        await self._look_up(lambda: gallery.create_gallery(name), context)
        counts = await self._look_up(gallery.people_by_gallery, context)
        return api.CreateGalleryResponse(gallery=_gallery(name, counts.get(name, 0)))

    async def DeleteGallery(
        self, request: api.DeleteGalleryRequest, context: Context
    ) -> api.DeleteGalleryResponse:
        """Delete a gallery."""
        removals = self._readiness.require().gallery.removals
        name = gallery_from_proto(request.name, "name")
        await self._look_up(lambda: removals.delete_gallery(name), context)
        return api.DeleteGalleryResponse()

    async def ListGates(
        self, request: api.ListGatesRequest, context: Context
    ) -> api.ListGatesResponse:
        """Return a page of gates."""
        found = await self._look_up(self._readiness.require().gates.all, context)
        size, token = request.page_size, request.page_token
        page = page_of(found, lambda gate: gate.name, size=size, token=token, scope="")
        return api.ListGatesResponse(
            gates=map(gate_to_message, page.items), next_page_token=page.next_token
        )

    async def GetGate(self, request: api.GetGateRequest, context: Context) -> api.GetGateResponse:
        """Return one gate."""
        gates, name = self._readiness.require().gates, gate_from_proto(request.name, "name")
        gate = await self._look_up(lambda: gates.get(name), context)
        return api.GetGateResponse(gate=gate_to_message(gate))

    async def CreateGate(
        self, request: api.CreateGateRequest, context: Context
    ) -> api.CreateGateResponse:
        """Set a gate up."""
        name = _gate_id(request.gate_id)
        policy = policy_from_proto(request.gate.policy, "gate.policy")
        gate = await self._change_gate(
            AuditKind.GATE_CREATED, name, lambda gates: gates.create(name, policy), context
        )
        return api.CreateGateResponse(gate=gate_to_message(gate))

    async def UpdateGate(
        self, request: api.UpdateGateRequest, context: Context
    ) -> api.UpdateGateResponse:
        """Replace a gate's policy."""
        name = gate_from_proto(request.gate.name, "gate.name")
        policy, etag = policy_from_proto(request.gate.policy, "gate.policy"), request.gate.etag
        gate = await self._change_gate(
            AuditKind.GATE_UPDATED, name, lambda gates: gates.update(name, policy, etag), context
        )
        return api.UpdateGateResponse(gate=gate_to_message(gate))

    async def DeleteGate(
        self, request: api.DeleteGateRequest, context: Context
    ) -> api.DeleteGateResponse:
        """Take a gate away."""
        name = gate_from_proto(request.name, "name")
        await self._change_gate(
            AuditKind.GATE_DELETED, name, lambda gates: gates.delete(name, request.etag), context
        )
        return api.DeleteGateResponse()

    async def ListOperatingPoints(
        self, request: api.ListOperatingPointsRequest, context: Context
    ) -> api.ListOperatingPointsResponse:
        """Return the operating points."""
        application = self._readiness.require()
        points = await self._look_up(lambda: _operating_points(application), context)
        return api.ListOperatingPointsResponse(operating_points=points)

    async def ListModels(
        self, request: api.ListModelsRequest, context: Context
    ) -> api.ListModelsResponse:
        """Return the networks."""
        store = ModelStore(self._readiness.require().settings.models_dir)
        found = await self._look_up(lambda: list_models(store), context)
        return api.ListModelsResponse(models=map(model_to_proto, found))

    async def GetStatistics(
        self, request: api.GetStatisticsRequest, context: Context
    ) -> api.GetStatisticsResponse:
        """Return how much there is."""
        gallery = self._readiness.require().gallery
        counts = await self._look_up(gallery.counts, context)
        last = await self._look_up(lambda: gallery.journal.last_number, context)
        return api.GetStatisticsResponse(
            profile_count=counts.people,
            template_count=counts.templates,
            gallery_revision=gallery.revision,
            last_audit_number=last,
            start_time=timestamp_to_proto(self._started),
            waiting_calls=self._waiting(),
            gates=self._gate_statistics(),
        )

    async def ListAuditEntries(
        self, request: api.ListAuditEntriesRequest, context: Context
    ) -> api.ListAuditEntriesResponse:
        """Return a page of the audit journal."""
        journal = self._readiness.require().gallery.journal
        wanted, size = audit_filter_from_proto(request), page_size(request.page_size)
        scope = repr(wanted)
        after = int(key_of_token(request.page_token, scope) if request.page_token else "0")
        found = await self._look_up(
            lambda: journal.read(wanted, after=after, limit=size + 1, name_people=True), context
        )
        entries, more = found[:size], len(found) > size
        return api.ListAuditEntriesResponse(
            entries=map(entry_to_proto, entries),
            next_page_token=token_of_key(str(entries[-1].number), scope) if more else "",
        )

    def _gate_statistics(self) -> list[api.GateStatistics]:
        counted = self._metrics.decisions()
        return [
            api.GateStatistics(
                gate=gate_to_proto(gate),
                granted_count=counted.get((gate, "granted"), 0),
                denied_count=counted.get((gate, "denied"), 0),
                unknown_count=counted.get((gate, "unknown"), 0),
                retry_count=counted.get((gate, "retry"), 0),
            )
            for gate in sorted({gate for gate, _ in counted})
        ]

    async def _change_gate(
        self, kind: AuditKind, name: str, change: Callable[[Gates], T], context: Context
    ) -> T:
        """Change a gate and enter that in the journal, also for a caller who leaves meanwhile."""
        application = self._readiness.require()

        def job() -> T:
            made = change(application.gates)
            application.gallery.record_now(AuditEvent(kind, place=name))
            return made

        return await self._look_up(job, context)

    async def _look_up(self, job: Callable[[], T], context: Context) -> T:
        return await self._records_pool.run(
            lambda _: job(), time_remaining_s=context.time_remaining()
        )


def _gallery(name: str, people: int) -> api.Gallery:
    return api.Gallery(name=gallery_to_proto(name), profile_count=people)


def _gate_id(text: str) -> str:
    try:
        return plain_name(text)
    except ServiceError as error:
        raise RequestError(str(error), field="gate_id") from error


def _operating_points(application: Application) -> list[api.OperatingPoint]:
    """Return the operating points of the home and the one that came along, by name."""
    store = OperatingPointStore(application.settings.operating_points_dir)
    recognizer = application.recognition.recognizer
    used = recognizer.operating_point
    found = {point.name: point for point in store.all()}
    named_in_use = store.in_use_name()
    if named_in_use == FACTORY or used.name not in found:
        found[FACTORY] = used
    return [
        operating_point_to_proto(point, name, recognizer if point == used else None)
        for name, point in sorted(found.items())
    ]
