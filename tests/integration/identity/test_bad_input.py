"""Every question that cannot be asked gets the status that the API promises, and says why."""

from collections.abc import Callable

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from facerec.client import CallError, GateClient
from facerec.v1 import enrollment_service_pb2 as enrollment
from facerec.v1 import image_pb2
from facerec.v1 import verification_service_pb2 as verification
from facerec.v1.enrollment_service_pb2_grpc import EnrollmentServiceStub
from facerec.v1.verification_service_pb2_grpc import VerificationServiceStub
from tests.integration.identity import pictures
from tests.integration.identity.server_process import ServerProcess

Bad = Callable[[bytes], bytes]
BAD_PICTURES: dict[str, Bad] = {
    "no bytes": lambda _: b"",
    "text": lambda _: b"Dear gate, please open.\n" * 40,
    "truncated JPEG": lambda picture: picture[: len(picture) // 2],
    "only a JPEG's first bytes": lambda picture: picture[:20],
    "20,000 x 20,000 in the header": lambda _: pictures.huge_header(),
    "a JPEG of 2,000 scans": lambda _: pictures.endless_scans(),
    "a GIF": lambda _: b"GIF89a" + bytes(200),
}


@pytest.mark.parametrize("bad", BAD_PICTURES.values(), ids=BAD_PICTURES.keys())
def test_bad_pictures(gate: GateClient, portraits: dict[str, bytes], bad: Bad) -> None:
    good = portraits["collins"]
    data = bad(portraits["obama-2012"])
    calls: dict[str, Callable[[], object]] = {
        "image.data": lambda: gate.identify(data),
        "probe.data": lambda: gate.verify(data, good),
        "reference_image.data": lambda: gate.verify(good, data),
        "images[1].image.data": lambda: gate.enrol("Nobody", [good, data], profile_id="never"),
    }
    for field, call in calls.items():
        with pytest.raises(CallError) as caught:
            call()
        assert caught.value.status == "INVALID_ARGUMENT"
        assert caught.value.reason == "IMAGE_INVALID"
        assert caught.value.field == field
        assert str(caught.value).startswith(f"{field}: ")
        assert "/" not in str(caught.value)  # no path of the server's
    # The good picture beside the bad one left nothing behind.
    with pytest.raises(CallError, match="never"):
        gate.profile("never")


def test_a_picture_of_one_pixel_is_refused(gate: GateClient) -> None:
    one_pixel = pictures.encoded(pictures.decoded(pictures.nobody())[:1, :1], ".png")
    with pytest.raises(CallError, match="1x1 pixels is too small") as refusal:
        gate.identify(one_pixel)
    assert refusal.value.status == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("ask", "status", "reason"),
    [
        (lambda g, p: g.identify(p, galleries=["nowhere"]), "NOT_FOUND", "GALLERY_NOT_FOUND"),
        (lambda g, p: g.verify(p, "nobody"), "NOT_FOUND", "PROFILE_NOT_FOUND"),
        (lambda g, p: g.profile("nobody"), "NOT_FOUND", "PROFILE_NOT_FOUND"),
        (lambda g, p: list(g.profiles("nowhere")), "NOT_FOUND", "GALLERY_NOT_FOUND"),
        (
            lambda g, p: g.enrol("A", [p], galleries=["nowhere"]),
            "NOT_FOUND",
            "GALLERY_NOT_FOUND",
        ),
        (lambda g, p: g.enrol(" ", [p]), "INVALID_ARGUMENT", "REQUEST_INVALID"),
        (lambda g, p: g.enrol("A" * 201, [p]), "INVALID_ARGUMENT", "REQUEST_INVALID"),
        (lambda g, p: g.enrol("A", []), "INVALID_ARGUMENT", "REQUEST_INVALID"),
        (lambda g, p: g.enrol("A", [b""] * 51), "INVALID_ARGUMENT", "REQUEST_INVALID"),
        (
            lambda g, p: g.enrol("A", [p], profile_id="../etc"),
            "INVALID_ARGUMENT",
            "REQUEST_INVALID",
        ),
        (
            lambda g, p: g.enrol("A", [p], consent="x" * 501),
            "INVALID_ARGUMENT",
            "REQUEST_INVALID",
        ),
        (lambda g, p: g.verify(p, "a/b"), "INVALID_ARGUMENT", "REQUEST_INVALID"),
    ],
)
def test_bad_questions(
    gate: GateClient,
    portraits: dict[str, bytes],
    ask: Callable[[GateClient, bytes], object],
    status: str,
    reason: str,
) -> None:
    with pytest.raises(CallError) as caught:
        ask(gate, portraits["collins"])
    assert (caught.value.status, caught.value.reason) == (status, reason)
    assert str(caught.value)


def refused(call: Callable[[], object]) -> tuple[grpc.StatusCode, dict[str, object]]:
    """The code of a failed call and its details by type name."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    status = rpc_status.from_call(caught.value)
    details: dict[str, object] = {}
    for packed in [] if status is None else status.details:
        for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest):
            found = kind()
            if packed.Unpack(found):
                details[kind.__name__] = found
    return caught.value.code(), details


@pytest.fixture
def channel(server: ServerProcess) -> grpc.Channel:
    with grpc.insecure_channel(server.address) as open_channel:
        yield open_channel


def test_errors_carry_the_details_that_aip_193_asks_for(channel: grpc.Channel) -> None:
    stub = VerificationServiceStub(channel)
    request = verification.IdentifyRequest(image=image_pb2.Image(data=b"x"), galleries=["staff"])
    code, details = refused(lambda: stub.Identify(request))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    info, bad = details["ErrorInfo"], details["BadRequest"]
    assert isinstance(info, error_details_pb2.ErrorInfo)
    assert isinstance(bad, error_details_pb2.BadRequest)
    assert (info.reason, info.domain) == ("REQUEST_INVALID", "facerec")
    assert info.metadata["field"] == "galleries[0]"
    assert bad.field_violations[0].field == "galleries[0]"


def test_a_question_without_its_object(channel: grpc.Channel) -> None:
    stub = VerificationServiceStub(channel)
    for request in (verification.VerifyRequest(), verification.VerifyRequest(profile="x")):
        code, details = refused(lambda request=request: stub.Verify(request))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "BadRequest" in details
    code, _ = refused(lambda: stub.Identify(verification.IdentifyRequest()))
    assert code is grpc.StatusCode.INVALID_ARGUMENT


def test_bytes_that_are_no_message_are_the_callers_fault(channel: grpc.Channel) -> None:
    call = channel.unary_unary("/facerec.v1.VerificationService/Identify")
    code, details = refused(lambda: call(b"\xff\xff\xff\xff not a message"))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert isinstance(info := details["ErrorInfo"], error_details_pb2.ErrorInfo)
    assert info.reason == "REQUEST_INVALID"


@pytest.mark.parametrize("method", ["Identify", "WatchDecisions"])
def test_a_call_without_a_request(channel: grpc.Channel, method: str) -> None:
    """Of one answer, and of many."""
    call = channel.stream_stream(f"/facerec.v1.VerificationService/{method}")(iter(()), timeout=30)
    with pytest.raises(grpc.RpcError) as caught:
        list(call)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "no request" in caught.value.details()


def test_an_unknown_method_is_unimplemented(channel: grpc.Channel) -> None:
    call = channel.unary_unary("/facerec.v1.VerificationService/Nonsense")
    assert refused(lambda: call(b""))[0] is grpc.StatusCode.UNIMPLEMENTED


LIMIT = 8 * 1024 * 1024


def test_an_oversized_message_is_refused_with_the_limit(channel: grpc.Channel) -> None:
    stub = VerificationServiceStub(channel)
    image = image_pb2.Image(data=bytes(LIMIT))  # the message's other bytes are too many
    code, details = refused(lambda: stub.Identify(verification.IdentifyRequest(image=image)))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    info = details["ErrorInfo"]
    assert isinstance(info, error_details_pb2.ErrorInfo)
    assert (info.reason, info.domain) == ("MESSAGE_TOO_LARGE", "facerec")
    assert info.metadata["max_bytes"] == str(LIMIT)


def test_what_is_as_large_as_allowed_is_read(channel: grpc.Channel) -> None:
    request = verification.IdentifyRequest(image=image_pb2.Image(data=bytes(LIMIT - 100)))
    code, details = refused(lambda: VerificationServiceStub(channel).Identify(request))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    info = details["ErrorInfo"]
    assert isinstance(info, error_details_pb2.ErrorInfo)
    assert info.reason == "IMAGE_INVALID"


def test_an_oversized_message_of_a_stream_is_refused(channel: grpc.Channel) -> None:
    items = [
        enrollment.BatchEnrollRequest(
            enrollment=enrollment.CreateProfileRequest(
                images=[enrollment.EnrollmentImage(image=image_pb2.Image(data=bytes(LIMIT + 1000)))]
            )
        )
    ]
    code, details = refused(lambda: EnrollmentServiceStub(channel).BatchEnroll(iter(items)))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "ErrorInfo" in details


@pytest.mark.parametrize("size", [LIMIT + 1000, 3 * LIMIT], ids=["by us", "by gRPC itself"])
def test_the_client_says_what_is_too_large(gate: GateClient, size: int) -> None:
    with pytest.raises(CallError) as caught:
        gate.identify(bytes(size))
    assert (caught.value.status, caught.value.reason) == ("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE")


@pytest.mark.parametrize(("size", "token"), [(-1, ""), (0, "nonsense")])
def test_bad_pages(channel: grpc.Channel, size: int, token: str) -> None:
    stub = EnrollmentServiceStub(channel)
    request = enrollment.ListProfilesRequest(page_size=size, page_token=token)
    code, details = refused(lambda: stub.ListProfiles(request))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "BadRequest" in details


def test_an_expired_deadline(gate: GateClient, server: ServerProcess) -> None:
    with GateClient(server.address, timeout_s=0.000001) as hasty, pytest.raises(CallError) as error:
        hasty.identify(pictures.nobody())
    assert error.value.status == "DEADLINE_EXCEEDED"
    gate.identify(pictures.nobody())  # the server goes on


def test_nothing_of_this_was_logged_or_crashed(server: ServerProcess) -> None:
    """Faults of callers are not worth a line; a traceback would be a fault of ours."""
    assert server.messages() == ""
    assert server.process.poll() is None
