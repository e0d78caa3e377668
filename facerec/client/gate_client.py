"""The client for code that blocks."""

from collections.abc import Iterator, Sequence
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

__all__ = ["GateClient"]


class GateClient:
    """A connection to a facerec server; keep one and share it between threads.

    Every method raises `facerec.client.CallError` when the call fails. That there is no face, or
    that nobody matches, is no failure but a result.

    Example::

        with GateClient("127.0.0.1:50051") as gate:
            result = gate.verify(picture, "p-k3x7w2mq5a")
            print(result.match, result.reasons)
    """

    def __init__(
        self,
        target: str,
        *,
        timeout_s: float = 5.0,
        tls: Tls | None = None,
        token: str | None = None,
    ) -> None:
        """Connect on the first call.

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
            grpc.insecure_channel(target, options=channel_options())
            if tls is None
            else grpc.secure_channel(target, tls.credentials(), options=channel_options())
        )
        self._verification = VerificationServiceStub(self._channel)
        self._enrollment = EnrollmentServiceStub(self._channel)

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def verify(self, probe: bytes, reference: str | bytes) -> VerifyResult:
        """Ask whether a picture shows a person (1:1).

        Args:
            probe: Encoded picture (JPEG, PNG, ...) of whoever stands at the gate.
            reference: Id of an enrolled person, or another encoded picture.
        """
        request = messages.verify_to_proto(probe, reference)
        with stated_call_failures(self._target):
            response = self._verification.Verify(
                request, timeout=self._timeout_s, metadata=self._metadata
            )
        return messages.verify_result_from_proto(response)

    def identify(
        self, image: bytes, *, galleries: Sequence[str] = (), main_only: bool = False
    ) -> IdentifyResult:
        """Ask who the people in a picture are, if anybody who is enrolled (1:N).

        Args:
            image: Encoded picture.
            galleries: Names of the galleries to search; the server's default when there is none.
            main_only: Ask about the largest face only, as at a gate.
        """
        request = messages.identify_to_proto(image, galleries, main_only)
        with stated_call_failures(self._target):
            response = self._verification.Identify(
                request, timeout=self._timeout_s, metadata=self._metadata
            )
        return messages.identify_result_from_proto(response)

    def authorize(self, gate: str, image: bytes) -> AuthorizeResult:
        """Ask whether a gate opens for whoever stands before it.

        Args:
            gate: Name of the gate; the client must be allowed to speak for it.
            image: Encoded picture.
        """
        request = messages.authorize_to_proto(gate, image)
        with stated_call_failures(self._target):
            response = self._verification.Authorize(
                request, timeout=self._timeout_s, metadata=self._metadata
            )
        return messages.authorize_result_from_proto(response)

    def enrol(
        self,
        name: str,
        images: Sequence[bytes],
        *,
        galleries: Sequence[str] = (),
        profile_id: str = "",
        consent: str = "",
        source: str = "",
    ) -> EnrolResult:
        """Enrol a person; never repeated by itself.

        Args:
            name: Display name.
            images: Encoded pictures of the person, 1 to 50.
            galleries: Names of galleries; the server's default when there is none.
            profile_id: Id to give; the server makes one when it is "".
            consent: Reference to the evidence of consent.
            source: Where the pictures came from, such as the desk's name.
        """
        request = messages.create_profile_to_proto(
            name,
            images,
            galleries=galleries,
            profile_id=profile_id,
            consent=consent,
            source=source,
        )
        with stated_call_failures(self._target):
            response = self._enrollment.CreateProfile(
                request, timeout=self._timeout_s, metadata=self._metadata
            )
        return messages.enrol_result_from_proto(response)

    def profile(self, profile_id: str) -> Profile:
        """Return one enrolled person."""
        request = messages.get_profile_to_proto(profile_id)
        with stated_call_failures(self._target):
            response = self._enrollment.GetProfile(
                request, timeout=self._timeout_s, metadata=self._metadata
            )
        return messages.profile_from_proto(response.profile)

    def profiles(self, gallery: str = "") -> Iterator[Profile]:
        """Yield the people of a gallery, or all, by id; asks for page after page."""
        token = ""
        while True:
            request = messages.list_profiles_to_proto(gallery, token)
            with stated_call_failures(self._target):
                response = self._enrollment.ListProfiles(
                    request, timeout=self._timeout_s, metadata=self._metadata
                )
            yield from map(messages.profile_from_proto, response.profiles)
            token = response.next_page_token
            if not token:
                return
