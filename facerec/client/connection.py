"""What both clients share: whom they talk to, and what each of their calls says and means."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from facerec.client import messages
from facerec.client.credentials import Tls, token_metadata
from facerec.client.results import (
    AuthorizeResult,
    EnrolResult,
    ErasureReceipt,
    IdentifyResult,
    ImageResult,
    Profile,
    ProfilePage,
    VerifyResult,
    WatchedDecision,
)
from facerec.v1 import verification_service_pb2 as verification
from facerec.v1.enrollment_service_pb2_grpc import EnrollmentServiceStub
from facerec.v1.verification_service_pb2_grpc import VerificationServiceStub

__all__ = [
    "Connection",
    "Methods",
    "Question",
    "add_picture",
    "authorize",
    "enrol",
    "erase",
    "identify",
    "profile",
    "profile_page",
    "stream_authorize",
    "verify",
    "watch_decisions",
]

R = TypeVar("R")


@dataclass(frozen=True)
class Connection:
    """Whom a client talks to, and as whom.

    Attributes:
        target: ``HOST:PORT`` of the server.
        timeout_s: Deadline of each call that has one answer, repetitions included.
        tls: Whom to trust, and the client's certificate; None for a server without TLS.
        metadata: Of every call.

    Raises:
        ServiceError: the token would travel in clear beyond this machine.
    """

    target: str
    timeout_s: float
    tls: Tls | None
    metadata: tuple[tuple[str, str], ...] | None

    @classmethod
    def to(
        cls, target: str, *, timeout_s: float, tls: Tls | None, token: str | None
    ) -> "Connection":
        """Return a connection that shows a token, if one is given."""
        return cls(target, timeout_s, tls, token_metadata(target, tls, token))


@dataclass(frozen=True, eq=False)
class Question(Generic[R]):
    """One call.

    Attributes:
        method: Name of the method.
        request: What is sent: a message, or messages one by one.
        result: Makes the plain result of an answer.
        enrolment: Whether the method is one of EnrollmentService, else of VerificationService.
    """

    method: str
    request: Message | Iterator[Message] | AsyncIterator[Message]
    result: Callable[[Any], R]
    enrolment: bool = field(default=False, kw_only=True)


class Methods:
    """What makes the calls on one channel, of either kind; a stub takes longer to make than one."""

    def __init__(self, channel: Any) -> None:
        self._verification = VerificationServiceStub(channel)
        self._enrolment = EnrollmentServiceStub(channel)

    def of(self, question: Question[Any]) -> Any:
        """Return what makes one call."""
        stub = self._enrolment if question.enrolment else self._verification
        return getattr(stub, question.method)


def verify(probe: bytes, reference: str | bytes) -> Question[VerifyResult]:
    """Ask whether a picture shows a person."""
    request = messages.verify_to_proto(probe, reference)
    return Question("Verify", request, messages.verify_result_from_proto)


def identify(image: bytes, galleries: Sequence[str], main_only: bool) -> Question[IdentifyResult]:
    """Ask who the people in a picture are."""
    request = messages.identify_to_proto(image, galleries, main_only)
    return Question("Identify", request, messages.identify_result_from_proto)


def authorize(gate: str, image: bytes) -> Question[AuthorizeResult]:
    """Ask whether a gate opens."""
    request = messages.authorize_to_proto(gate, image)
    return Question("Authorize", request, messages.authorize_result_from_proto)


def stream_authorize(
    requests: Iterator[verification.StreamAuthorizeRequest]
    | AsyncIterator[verification.StreamAuthorizeRequest],
) -> Question[AuthorizeResult | None]:
    """Ask for a gate's camera."""
    return Question("StreamAuthorize", requests, messages.stream_result_from_proto)


def watch_decisions(gates: Sequence[str], resume_token: str) -> Question[WatchedDecision]:
    """Ask for the answers to gates."""
    request = messages.watch_to_proto(gates, resume_token)
    return Question("WatchDecisions", request, messages.watched_from_proto)


def enrol(
    name: str,
    images: Sequence[bytes],
    *,
    galleries: Sequence[str],
    profile_id: str,
    consent: str,
    source: str,
    allow_same_person: bool,
) -> Question[EnrolResult]:
    """Ask to enrol a person."""
    request = messages.create_profile_to_proto(
        name,
        images,
        galleries=galleries,
        profile_id=profile_id,
        consent=consent,
        source=source,
        allow_same_person=allow_same_person,
    )
    return Question("CreateProfile", request, messages.enrol_result_from_proto, enrolment=True)


def add_picture(profile_id: str, image: bytes, source: str) -> Question[ImageResult]:
    """Ask to add one more picture of a person."""
    request = messages.create_template_to_proto(profile_id, image, source)
    return Question("CreateTemplate", request, messages.added_image_from_proto, enrolment=True)


def erase(profile_id: str) -> Question[ErasureReceipt]:
    """Ask to erase a person."""
    request = messages.erase_profile_to_proto(profile_id)
    return Question("EraseProfile", request, messages.receipt_from_proto, enrolment=True)


def profile(profile_id: str) -> Question[Profile]:
    """Ask for one person."""
    request = messages.get_profile_to_proto(profile_id)
    return Question("GetProfile", request, messages.got_profile_from_proto, enrolment=True)


def profile_page(gallery: str, token: str) -> Question[ProfilePage]:
    """Ask for a page of people."""
    request = messages.list_profiles_to_proto(gallery, token)
    return Question("ListProfiles", request, messages.profile_page_from_proto, enrolment=True)
