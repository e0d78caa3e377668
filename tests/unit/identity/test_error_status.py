"""The table from errors to statuses, and the messages made with it."""

import re

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

import facerec_identity.server  # noqa: F401 - so that every error class of the server exists
from facerec import errors
from facerec_identity.error_status import DOMAIN, STATUSES, status_of

SECRET = "/srv/home/Ada Lovelace"


def every_error(root: type[errors.FaceRecError]) -> list[type[errors.FaceRecError]]:
    return [root, *(e for child in root.__subclasses__() for e in every_error(child))]


def made(kind: type[errors.FaceRecError]) -> errors.FaceRecError:
    extra: dict[str, object] = {}
    if issubclass(kind, errors.RequestError):
        extra = {"field": "probe.data"}
    elif issubclass(kind, errors.OverloadedError):
        extra = {"retry_after_s": 0.25}
    elif issubclass(kind, errors.MessageTooLargeError):
        extra = {"max_bytes": 1024}
    elif issubclass(kind, errors.CallError):
        extra = {"status": "NOT_FOUND"}
    return kind(SECRET, **extra)


def detail(status: status_pb2.Status, kind: type[Message]) -> Message | None:
    found = kind()
    return next((found for packed in status.details if packed.Unpack(found)), None)


@pytest.mark.parametrize("kind", every_error(errors.FaceRecError), ids=lambda k: k.__name__)
def test_every_error_has_a_status_of_its_own(kind: type[errors.FaceRecError]) -> None:
    assert kind in STATUSES, f"decide in error_status.py what callers are told of {kind.__name__}"
    status = status_of(made(kind))
    info = detail(status, error_details_pb2.ErrorInfo)
    assert info is not None
    assert info.domain == DOMAIN
    # google.aip.dev/193: at most 63 characters, UPPER_SNAKE_CASE.
    assert re.fullmatch(r"[A-Z][A-Z0-9_]{0,61}[A-Z0-9]", info.reason)
    assert status.message
    assert "\n" not in status.message
    assert grpc.StatusCode.OK.value[0] != status.code == STATUSES[kind].code.value[0]


@pytest.mark.parametrize("kind", every_error(errors.FaceRecError), ids=lambda k: k.__name__)
def test_faults_of_the_server_keep_their_details(kind: type[errors.FaceRecError]) -> None:
    """What is INTERNAL speaks of files and states that no caller needs to know."""
    if STATUSES[kind].code is grpc.StatusCode.INTERNAL:
        assert SECRET not in str(status_of(made(kind)))


def test_the_documented_statuses() -> None:
    """Those that the API's comments promise."""
    code = {kind: status.code.name for kind, status in STATUSES.items()}
    assert code[errors.RequestImageError] == code[errors.RequestError] == "INVALID_ARGUMENT"
    assert code[errors.GalleryNotFoundError] == code[errors.ProfileNotFoundError] == "NOT_FOUND"
    assert code[errors.ProfileExistsError] == "ALREADY_EXISTS"
    assert code[errors.OverloadedError] == "RESOURCE_EXHAUSTED"
    assert code[errors.MessageTooLargeError] == "RESOURCE_EXHAUSTED"
    assert code[errors.NotReadyError] == "UNAVAILABLE"
    assert code[errors.EmbeddingSpaceError] == "FAILED_PRECONDITION"
    assert code[errors.DeadlineError] == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize("error", [ValueError(SECRET), KeyError(SECRET), OSError(2, "no", SECRET)])
def test_an_unexpected_exception_reveals_nothing(error: Exception) -> None:
    status = status_of(error)
    assert status.code == grpc.StatusCode.INTERNAL.value[0]
    assert SECRET not in str(status)
    assert type(error).__name__ not in str(status)


def test_a_subclass_that_nobody_mapped_reveals_nothing() -> None:
    # Made by type() and dropped, lest it stays among the subclasses that the table must hold.
    kind = type("Unmapped", (errors.ImageError,), {})
    status = status_of(kind(SECRET))
    assert status.code == grpc.StatusCode.INTERNAL.value[0]
    assert SECRET not in str(status)


def test_a_wrong_field_is_named() -> None:
    status = status_of(errors.RequestImageError("is empty", field="images[2].image.data"))
    request = detail(status, error_details_pb2.BadRequest)
    assert request is not None
    assert [v.field for v in request.field_violations] == ["images[2].image.data"]
    assert "images[2].image.data: is empty" in status.message


def test_an_overloaded_server_says_when_to_try_again() -> None:
    status = status_of(errors.OverloadedError("too much", retry_after_s=0.25))
    retry = detail(status, error_details_pb2.RetryInfo)
    assert retry is not None
    assert retry.retry_delay.ToMilliseconds() == 250
