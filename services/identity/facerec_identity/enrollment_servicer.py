"""The calls of EnrollmentService."""

from typing import Any

import grpc

from facerec.v1 import enrollment_service_pb2 as api
from facerec.v1.enrollment_service_pb2_grpc import EnrollmentServiceServicer
from facerec_identity.application import Readiness
from facerec_identity.paging import page_of
from facerec_identity.serde import (
    enrolment_to_proto,
    gallery_from_proto,
    images_from_proto,
    new_person_from_proto,
    profile_id_from_proto,
    profile_to_proto,
)
from facerec_identity.worker_pool import WorkerPool

__all__ = ["EnrollmentServicer"]

Context = grpc.aio.ServicerContext[Any, Any]


class EnrollmentServicer(EnrollmentServiceServicer):
    """Reads requests, has them answered in a thread, writes responses.

    Looking something up has threads of its own, so that it never waits for analysis.
    """

    def __init__(
        self, readiness: Readiness, *, analysis_pool: WorkerPool, records_pool: WorkerPool
    ) -> None:
        self._readiness = readiness
        self._analysis_pool = analysis_pool
        self._records_pool = records_pool

    async def CreateProfile(
        self, request: api.CreateProfileRequest, context: Context
    ) -> api.CreateProfileResponse:
        """Enrol a person."""
        application = self._readiness.require()
        person = new_person_from_proto(request, application.default_gallery)
        images, sources = images_from_proto(request)
        enrolment = await self._analysis_pool.run(
            lambda guard: application.registrar.enrol(person, images, sources, guard),
            time_remaining_s=context.time_remaining(),
        )
        return enrolment_to_proto(enrolment)

    async def GetProfile(
        self, request: api.GetProfileRequest, context: Context
    ) -> api.GetProfileResponse:
        """Return one profile."""
        gallery = self._readiness.require().gallery
        profile_id = profile_id_from_proto(request.name, "name")
        profile = await self._records_pool.run(
            lambda _: gallery.get(profile_id), time_remaining_s=context.time_remaining()
        )
        return api.GetProfileResponse(profile=profile_to_proto(profile))

    async def ListProfiles(
        self, request: api.ListProfilesRequest, context: Context
    ) -> api.ListProfilesResponse:
        """Return a page of profiles."""
        gallery = self._readiness.require().gallery
        name = gallery_from_proto(request.gallery, "gallery") if request.gallery else None
        profiles = await self._records_pool.run(
            lambda _: gallery.list(name), time_remaining_s=context.time_remaining()
        )
        page = page_of(
            sorted(profiles, key=lambda profile: profile.profile_id),
            lambda profile: profile.profile_id,
            size=request.page_size,
            token=request.page_token,
            scope=request.gallery,
        )
        return api.ListProfilesResponse(
            profiles=[profile_to_proto(profile) for profile in page.items],
            next_page_token=page.next_token,
        )
