"""What the client asks again by itself, against a real gRPC server that fails as it is told."""

from collections.abc import Callable, Iterator
from concurrent import futures

import grpc
import pytest

from facerec.client import CallError, GateClient
from facerec.v1 import enrollment_service_pb2 as enrollment
from facerec.v1 import verification_service_pb2 as verification
from facerec.v1.enrollment_service_pb2_grpc import (
    EnrollmentServiceServicer,
    add_EnrollmentServiceServicer_to_server,
)
from facerec.v1.verification_service_pb2_grpc import (
    VerificationServiceServicer,
    add_VerificationServiceServicer_to_server,
)


class Failing(VerificationServiceServicer, EnrollmentServiceServicer):
    """Fails the first calls with a code, and answers the later ones."""

    def __init__(self) -> None:
        self.code = grpc.StatusCode.UNAVAILABLE
        self.failures = 0
        self.calls = 0
        self.request_ids: list[str] = []

    def _call(self, context: grpc.ServicerContext) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            context.abort(self.code, "as told")

    def Verify(self, request, context):
        self._call(context)
        return verification.VerifyResponse()

    def Identify(self, request, context):
        self._call(context)
        return verification.IdentifyResponse()

    def CreateProfile(self, request, context):
        self.request_ids.append(request.request_id)
        self._call(context)
        return enrollment.CreateProfileResponse()

    def GetProfile(self, request, context):
        self._call(context)
        return enrollment.GetProfileResponse()

    def ListProfiles(self, request, context):
        self._call(context)
        return enrollment.ListProfilesResponse()


Call = Callable[[GateClient], object]
SAFE: dict[str, Call] = {
    "verify": lambda gate: gate.verify(b"", "p"),
    "identify": lambda gate: gate.identify(b""),
    "profile": lambda gate: gate.profile("p"),
    "profiles": lambda gate: list(gate.profiles()),
}


@pytest.fixture
def failing() -> Failing:
    return Failing()


@pytest.fixture
def gate(failing: Failing) -> Iterator[GateClient]:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    add_VerificationServiceServicer_to_server(failing, server)
    add_EnrollmentServiceServicer_to_server(failing, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with GateClient(f"127.0.0.1:{port}", timeout_s=60) as client:
        yield client
    server.stop(None).wait()


@pytest.mark.parametrize("call", SAFE.values(), ids=SAFE.keys())
def test_safe_calls_are_asked_again(gate: GateClient, failing: Failing, call: Call) -> None:
    failing.failures = 2
    call(gate)
    assert failing.calls == 3


def test_an_enrolment_is_repeated_as_the_same_request(gate: GateClient, failing: Failing) -> None:
    """The answer may have been lost after the person was stored."""
    failing.failures = 2
    gate.enrol("Ada", [b""], profile_id="ada")
    gate.enrol("Ada", [b""])
    assert failing.calls == 4
    first, second, third, other = failing.request_ids
    assert first == second == third != other


def test_it_gives_up_after_four(gate: GateClient, failing: Failing) -> None:
    failing.failures = 100
    with pytest.raises(CallError) as caught:
        gate.identify(b"")
    assert caught.value.status == "UNAVAILABLE"
    assert failing.calls == 4


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.RESOURCE_EXHAUSTED,  # it has too much to do already
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.NOT_FOUND,
    ],
)
def test_other_failures_are_final(
    gate: GateClient, failing: Failing, code: grpc.StatusCode
) -> None:
    failing.code, failing.failures = code, 1
    with pytest.raises(CallError) as caught:
        gate.identify(b"")
    assert caught.value.status == code.name
    # Without ErrorInfo: not of a facerec server.
    assert caught.value.reason in ("", "MESSAGE_TOO_LARGE")
    assert failing.calls == 1
