"""The calls of EnrollmentService."""

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import grpc

from facerec.errors import ProfileNotFoundError
from facerec.gallery.gallery import Gallery
from facerec.gallery.life_cycle import Receipt
from facerec.gallery.profile import Profile
from facerec.v1 import enrollment_service_pb2 as api
from facerec.v1.enrollment_service_pb2_grpc import EnrollmentServiceServicer
from facerec_identity.application import Application, Readiness
from facerec_identity.batch import enrol_batch
from facerec_identity.call_record import caller_of_call
from facerec_identity.enrolment import Enrolment
from facerec_identity.paging import key_of_token, page_of, page_size, token_of_key
from facerec_identity.profile_serde import (
    ProfileUpdate,
    addition_to_proto,
    enrolment_image_from_proto,
    enrolment_to_proto,
    images_from_proto,
    new_person_from_proto,
    profile_to_proto,
    receipt_to_proto,
    template_to_proto,
    update_from_proto,
    version_from_proto,
)
from facerec_identity.resource_names import (
    gallery_from_proto,
    profile_id_from_proto,
    template_from_proto,
)
from facerec_identity.worker_pool import CallGuard, WorkerPool

__all__ = ["EnrollmentServicer"]

Context = grpc.aio.ServicerContext[Any, Any]
T = TypeVar("T")


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
        job = _enrolment(request, self._readiness.require())
        enrolment = await self._analysis_pool.run(job, time_remaining_s=context.time_remaining())
        return enrolment_to_proto(enrolment)

    async def GetProfile(
        self, request: api.GetProfileRequest, context: Context
    ) -> api.GetProfileResponse:
        """Return one profile."""
        gallery = self._readiness.require().gallery
        profile_id = profile_id_from_proto(request.name, "name")
        # The version first: with one that is older than the profile a change is refused, not lost.
        version, profile = await self._look_up(
            lambda: (gallery.life_cycle.version(profile_id), gallery.get(profile_id)), context
        )
        return api.GetProfileResponse(profile=profile_to_proto(profile, version))

    async def ListProfiles(
        self, request: api.ListProfilesRequest, context: Context
    ) -> api.ListProfilesResponse:
        """Return a page of profiles."""
        gallery = self._readiness.require().gallery
        name = gallery_from_proto(request.gallery, "gallery") if request.gallery else None
        size, token = page_size(request.page_size), request.page_token
        after = key_of_token(token, request.gallery) if token else ""
        page = await self._look_up(
            lambda: gallery.pages.page(limit=size, after=after, gallery=name), context
        )
        return api.ListProfilesResponse(
            profiles=[profile_to_proto(profile) for profile in page.profiles],
            next_page_token=token_of_key(page.next_after, request.gallery)
            if page.next_after
            else "",
        )

    async def UpdateProfile(
        self, request: api.UpdateProfileRequest, context: Context
    ) -> api.UpdateProfileResponse:
        """Change a profile."""
        gallery, update = self._readiness.require().gallery, update_from_proto(request)
        version, profile = await self._look_up(lambda: _updated(gallery, update), context)
        return api.UpdateProfileResponse(profile=profile_to_proto(profile, version))

    async def EraseProfile(
        self, request: api.EraseProfileRequest, context: Context
    ) -> api.EraseProfileResponse:
        """Erase a person."""
        gallery = self._readiness.require().gallery
        profile_id = profile_id_from_proto(request.name, "name")
        version = version_from_proto(request.etag, "etag")
        receipt = await self._look_up(lambda: _erased(gallery, profile_id, version), context)
        return api.EraseProfileResponse(receipt=receipt_to_proto(receipt))

    async def CreateTemplate(
        self, request: api.CreateTemplateRequest, context: Context
    ) -> api.CreateTemplateResponse:
        """Add a template to a person."""
        registrar = self._readiness.require().registrar
        profile_id = profile_id_from_proto(request.parent, "parent")
        image, source = enrolment_image_from_proto(request.image, "image")
        addition = await self._analysis_pool.run(
            lambda guard: registrar.add_template(profile_id, image, source, guard),
            time_remaining_s=context.time_remaining(),
        )
        return addition_to_proto(addition)

    async def ListTemplates(
        self, request: api.ListTemplatesRequest, context: Context
    ) -> api.ListTemplatesResponse:
        """Return a page of a person's templates."""
        gallery = self._readiness.require().gallery
        profile_id = profile_id_from_proto(request.parent, "parent")
        templates = await self._look_up(lambda: gallery.templates(profile_id), context)
        page = page_of(
            templates,
            # Padded, so that the order of the words is that of the numbers.
            lambda template: f"{template.template_id:020d}",
            size=request.page_size,
            token=request.page_token,
            scope=request.parent,
        )
        return api.ListTemplatesResponse(
            templates=[template_to_proto(template) for template in page.items],
            next_page_token=page.next_token,
        )

    async def DeleteTemplate(
        self, request: api.DeleteTemplateRequest, context: Context
    ) -> api.DeleteTemplateResponse:
        """Delete a template."""
        removals = self._readiness.require().gallery.removals
        profile_id, template_id = template_from_proto(request.name, "name")
        await self._look_up(lambda: removals.delete_template(profile_id, template_id), context)
        return api.DeleteTemplateResponse()

    async def BatchEnroll(
        self, requests: AsyncIterator[api.BatchEnrollRequest], context: Context
    ) -> api.BatchEnrollResponse:
        """Enrol many people."""
        application = self._readiness.require()

        async def enrol(item: api.BatchEnrollRequest) -> api.CreateProfileResponse:
            job = _enrolment(item.enrollment, application)
            left_s = context.time_remaining()
            return enrolment_to_proto(await self._analysis_pool.run(job, time_remaining_s=left_s))

        return api.BatchEnrollResponse(results=await enrol_batch(requests, enrol))

    async def _look_up(self, job: Callable[[], T], context: Context) -> T:
        return await self._records_pool.run(
            lambda _: job(), time_remaining_s=context.time_remaining()
        )


def _enrolment(
    request: api.CreateProfileRequest, application: Application
) -> Callable[[CallGuard], Enrolment]:
    person = new_person_from_proto(request, application.default_gallery, caller_of_call().name)
    images, sources = images_from_proto(request)
    return lambda guard: application.registrar.enrol(person, images, sources, guard)


def _updated(gallery: Gallery, update: ProfileUpdate) -> tuple[int, Profile]:
    """Change a profile; return its version and the profile."""
    before = gallery.life_cycle.version(update.profile_id)
    change = update.change(gallery.get(update.profile_id))
    # Without an etag the change is still made of the profile that was just read, and of no other.
    expected = before if update.version is None else update.version
    gallery.life_cycle.update(update.profile_id, change, expected)
    return gallery.life_cycle.version(update.profile_id), gallery.get(update.profile_id)


def _erased(gallery: Gallery, profile_id: str, version: int | None) -> Receipt:
    """Erase a person; return the receipt, also of an erasure long ago."""
    try:
        return gallery.life_cycle.erase(profile_id, version=version)
    except ProfileNotFoundError:
        receipt = gallery.life_cycle.receipt_of(profile_id)
        if receipt is None:
            raise
        return receipt
