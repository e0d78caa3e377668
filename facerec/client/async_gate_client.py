"""The client for asyncio."""

from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Self

import grpc

from facerec.client import messages
from facerec.client.call_failures import stated_call_failures
from facerec.client.channel_options import channel_options
from facerec.client.credentials import Tls, token_metadata
from facerec.client.results import (
    AuthorizeResult,
    EnrolResult,
    IdentifyResult,
    Profile,
    VerifyResult,
)
from facerec.v1.enrollment_service_pb2_grpc import EnrollmentServiceStub
from facerec.v1.verification_service_pb2_grpc import VerificationServiceStub

__all__ = ["AsyncGateClient"]


class AsyncGateClient:
    """`facerec.client.GateClient` for asyncio: the same methods, awaited."""

    def __init__(
        self,
        target: str,
        *,
        timeout_s: float = 5.0,
        tls: Tls | None = None,
        token: str | None = None,
    ) -> None:
        """Connect on the first call; make it where an event loop runs.

        Args:
            target: ``HOST:PORT`` of the server.
            timeout_s: Deadline of each call, repetitions included.
            tls: Whom to trust, and the client's certificate; None for a server without TLS.
            token: API token, for a client that has no certificate.

        Raises:
            ServiceError: the token would travel in clear beyond this machine.
        """
        self._target = target
        self._timeout_s = timeout_s
        self._metadata = token_metadata(target, tls, token)
        self._channel = (
            grpc.aio.insecure_channel(target, options=channel_options())
            if tls is None
            else grpc.aio.secure_channel(target, tls.credentials(), options=channel_options())
        )
        self._verification = VerificationServiceStub(self._channel)
        self._enrollment = EnrollmentServiceStub(self._channel)

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def verify(self, probe: bytes, reference: str | bytes) -> VerifyResult:
        """Ask whether a picture shows a person (1:1); see `GateClient.verify`."""
        request = messages.verify_to_proto(probe, reference)
        with stated_call_failures(self._target):
            response = await self._verification.Verify(
                request, timeout=self._timeout_s, metadata=self._metadata
            )
        return messages.verify_result_from_proto(response)

    async def identify(
        self, image: bytes, *, galleries: Sequence[str] = (), main_only: bool = False
    ) -> IdentifyResult:
        """Ask who the people in a picture are (1:N); see `GateClient.identify`."""
        request = messages.identify_to_proto(image, galleries, main_only)
        with stated_call_failures(self._target):
            response = await self._verification.Identify(
                request, timeout=self._timeout_s, metadata=self._metadata
            )
        return messages.identify_result_from_proto(response)

    async def authorize(self, gate: str, image: bytes) -> AuthorizeResult:
        """Ask whether a gate opens for whoever stands before it; see `GateClient.authorize`."""
        request = messages.authorize_to_proto(gate, image)
        with stated_call_failures(self._target):
            response = await self._verification.Authorize(
                request, timeout=self._timeout_s, metadata=self._metadata
            )
        return messages.authorize_result_from_proto(response)

    async def enrol(
        self,
        name: str,
        images: Sequence[bytes],
        *,
        galleries: Sequence[str] = (),
        profile_id: str = "",
        consent: str = "",
        source: str = "",
    ) -> EnrolResult:
        """Enrol a person; see `GateClient.enrol`."""
        request = messages.create_profile_to_proto(
            name,
            images,
            galleries=galleries,
            profile_id=profile_id,
            consent=consent,
            source=source,
        )
        with stated_call_failures(self._target):
            response = await self._enrollment.CreateProfile(
                request, timeout=self._timeout_s, metadata=self._metadata
            )
        return messages.enrol_result_from_proto(response)

    async def profile(self, profile_id: str) -> Profile:
        """Return one enrolled person."""
        request = messages.get_profile_to_proto(profile_id)
        with stated_call_failures(self._target):
            response = await self._enrollment.GetProfile(
                request, timeout=self._timeout_s, metadata=self._metadata
            )
        return messages.profile_from_proto(response.profile)

    async def profiles(self, gallery: str = "") -> AsyncIterator[Profile]:
        """Yield the people of a gallery, or all, by id; asks for page after page."""
        token = ""
        while True:
            request = messages.list_profiles_to_proto(gallery, token)
            with stated_call_failures(self._target):
                response = await self._enrollment.ListProfiles(
                    request, timeout=self._timeout_s, metadata=self._metadata
                )
            for profile in response.profiles:
                yield messages.profile_from_proto(profile)
            token = response.next_page_token
            if not token:
                return
