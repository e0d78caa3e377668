"""What becomes of profiles over the API: changes, templates, erasure, batches, repetitions."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from facerec.client.call_failures import stated_call_failures
from facerec.client.connection import Connection
from facerec.errors import CallError
from facerec.v1 import enrollment_service_pb2 as api
from facerec.v1 import image_pb2, profile_pb2
from facerec.v1.enrollment_service_pb2_grpc import EnrollmentServiceStub
from tests.integration.identity.pictures import nobody
from tests.integration.identity.server_process import ServerProcess

SERVER = Connection("server", 60, None, None)


@pytest.fixture(scope="module")
def desk(new_home: Callable[[], Path]) -> Iterator[EnrollmentServiceStub]:
    with ServerProcess(new_home()) as server, grpc.insecure_channel(server.address) as channel:
        yield EnrollmentServiceStub(channel)


@pytest.fixture
def person(
    desk: EnrollmentServiceStub, portraits: dict[str, bytes]
) -> Iterator[profile_pb2.Profile]:
    """Somebody who is enrolled, and erased after the test if they are still."""
    made = desk.CreateProfile(asked("Ada", portraits["obama-2012"])).profile
    yield made
    desk.EraseProfile(api.EraseProfileRequest(name=made.name))


def picture(data: bytes, source: str = "") -> api.EnrollmentImage:
    return api.EnrollmentImage(image=image_pb2.Image(data=data), source=source)


def asked(name: str, *pictures: bytes, request_id: str = "") -> api.CreateProfileRequest:
    return api.CreateProfileRequest(
        profile=profile_pb2.Profile(display_name=name),
        images=[picture(data) for data in pictures],
        request_id=request_id,
    )


def failure(call: Callable[[], object]) -> tuple[str, str, str]:
    with pytest.raises(CallError) as caught, stated_call_failures(SERVER):
        call()
    return caught.value.status, caught.value.reason, caught.value.field


def test_a_request_that_is_repeated_enrols_once(
    desk: EnrollmentServiceStub, portraits: dict[str, bytes]
) -> None:
    request_id = str(uuid4())
    one = asked("Eileen", portraits["collins"], nobody(), request_id=request_id)
    first = desk.CreateProfile(one)
    again = desk.CreateProfile(one)
    assert first.profile.name and again.profile == first.profile
    assert [image.outcome for image in again.images] == [image.outcome for image in first.images]
    assert [p.name for p in desk.ListProfiles(api.ListProfilesRequest()).profiles].count(
        first.profile.name
    ) == 1
    other = asked("Somebody else", portraits["collins"], request_id=request_id)
    assert failure(lambda: desk.CreateProfile(other)) == (
        "INVALID_ARGUMENT",
        "REQUEST_INVALID",
        "request_id",
    )
    # A repetition that arrives after the person was erased must not bring them back.
    desk.EraseProfile(api.EraseProfileRequest(name=first.profile.name))
    assert failure(lambda: desk.CreateProfile(one))[:2] == ("FAILED_PRECONDITION", "STATE_CONFLICT")


def test_a_request_with_an_id_of_its_own_is_repeated_too(
    desk: EnrollmentServiceStub, portraits: dict[str, bytes]
) -> None:
    one = asked("Eileen", portraits["collins"], request_id=str(uuid4()))
    one.profile_id = "eileen"
    first = desk.CreateProfile(one).profile
    assert first.name == "profiles/eileen" and desk.CreateProfile(one).profile == first
    one.request_id = ""
    assert failure(lambda: desk.CreateProfile(one))[:2] == ("ALREADY_EXISTS", "PROFILE_EXISTS")
    desk.EraseProfile(api.EraseProfileRequest(name=first.name))


@pytest.mark.parametrize("bad", ["1", "not-a-uuid", "f" * 100])
def test_a_request_id_is_a_uuid(
    desk: EnrollmentServiceStub, portraits: dict[str, bytes], bad: str
) -> None:
    request = asked("Ada", portraits["obama-2012"], request_id=bad)
    assert failure(lambda: desk.CreateProfile(request))[2] == "request_id"


def test_only_fields_of_the_mask_change(
    desk: EnrollmentServiceStub, person: profile_pb2.Profile
) -> None:
    given = profile_pb2.Profile(
        name=person.name,
        display_name="Not in the mask",
        external_id="47-11",
        attributes={"desk": "north"},
        state=profile_pb2.Profile.STATE_SUSPENDED,
    )
    given.valid_until_time.FromJsonString("2031-01-02T03:04:05Z")
    mask = FieldMask(paths=["external_id", "attributes", "state", "valid_until_time"])
    changed = desk.UpdateProfile(api.UpdateProfileRequest(profile=given, update_mask=mask)).profile
    assert changed.display_name == "Ada" and changed.external_id == "47-11"
    assert dict(changed.attributes) == {"desk": "north"}
    assert changed.state == profile_pb2.Profile.STATE_SUSPENDED
    assert changed == desk.GetProfile(api.GetProfileRequest(name=person.name)).profile
    # A second mask leaves the other half of a pair alone, and clears what it names and is unset.
    given = profile_pb2.Profile(name=person.name)
    given.valid_from_time.FromJsonString("2025-01-01T00:00:00Z")
    mask = FieldMask(paths=["valid_from_time", "external_id"])
    changed = desk.UpdateProfile(api.UpdateProfileRequest(profile=given, update_mask=mask)).profile
    assert changed.valid_until_time.ToJsonString() == "2031-01-02T03:04:05Z"
    assert changed.valid_from_time.ToJsonString() == "2025-01-01T00:00:00Z"
    assert changed.external_id == ""


@pytest.mark.parametrize("paths", [[], ["name"], ["display_name", "template_count"], ["*"]])
def test_a_mask_names_what_can_be_changed(
    desk: EnrollmentServiceStub, person: profile_pb2.Profile, paths: list[str]
) -> None:
    request = api.UpdateProfileRequest(profile=person, update_mask=FieldMask(paths=paths))
    assert failure(lambda: desk.UpdateProfile(request))[2] == "update_mask"


def test_the_second_of_two_who_change_the_same_is_told(
    desk: EnrollmentServiceStub, person: profile_pb2.Profile
) -> None:
    mask = FieldMask(paths=["display_name"])
    mine, theirs = profile_pb2.Profile(), profile_pb2.Profile()
    mine.CopyFrom(person)
    theirs.CopyFrom(person)
    theirs.display_name, mine.display_name = "Theirs", "Mine"
    desk.UpdateProfile(api.UpdateProfileRequest(profile=theirs, update_mask=mask))
    late = api.UpdateProfileRequest(profile=mine, update_mask=mask)
    assert failure(lambda: desk.UpdateProfile(late))[:2] == ("ABORTED", "PROFILE_CHANGED")
    erase = api.EraseProfileRequest(name=person.name, etag=person.etag)
    assert failure(lambda: desk.EraseProfile(erase))[:2] == ("ABORTED", "PROFILE_CHANGED")
    now = desk.GetProfile(api.GetProfileRequest(name=person.name)).profile
    assert now.display_name == "Theirs"
    late.profile.etag = now.etag
    assert desk.UpdateProfile(late).profile.display_name == "Mine"
    late.profile.etag = "x"
    assert failure(lambda: desk.UpdateProfile(late))[2] == "profile.etag"


def test_erasing_gives_a_receipt_and_gives_it_again(
    desk: EnrollmentServiceStub, portraits: dict[str, bytes]
) -> None:
    made = desk.CreateProfile(asked("Eileen", portraits["collins"])).profile
    erase = api.EraseProfileRequest(name=made.name)
    receipt = desk.EraseProfile(erase).receipt
    assert receipt.template_count == 1 and len(receipt.evidence_sha256) == 64
    assert receipt.cause == "requested"
    assert desk.EraseProfile(erase).receipt == receipt
    get = api.GetProfileRequest(name=made.name)
    assert failure(lambda: desk.GetProfile(get))[:2] == ("NOT_FOUND", "PROFILE_NOT_FOUND")
    never = api.EraseProfileRequest(name="profiles/never-was")
    assert failure(lambda: desk.EraseProfile(never))[:2] == ("NOT_FOUND", "PROFILE_NOT_FOUND")


def test_templates_come_and_go(
    desk: EnrollmentServiceStub, person: profile_pb2.Profile, portraits: dict[str, bytes]
) -> None:
    add = api.CreateTemplateRequest(
        parent=person.name, image=picture(portraits["obama-2009"], "desk 2")
    )
    added = desk.CreateTemplate(add)
    assert added.template.source == "desk 2"
    assert desk.CreateTemplate(add).template == added.template
    refused = desk.CreateTemplate(
        api.CreateTemplateRequest(parent=person.name, image=picture(nobody()))
    )
    assert not refused.HasField("template") and refused.image.reasons
    listing = api.ListTemplatesRequest(parent=person.name, page_size=1)
    first = desk.ListTemplates(listing)
    listing.page_token = first.next_page_token
    second = desk.ListTemplates(listing)
    assert [*first.templates, *second.templates][1] == added.template
    assert second.next_page_token == ""
    now = desk.GetProfile(api.GetProfileRequest(name=person.name)).profile
    assert now.template_count == 2 and now.etag != person.etag
    oldest, newest = first.templates[0].name, added.template.name
    desk.DeleteTemplate(api.DeleteTemplateRequest(name=oldest))
    gone = api.DeleteTemplateRequest(name=oldest)
    assert failure(lambda: desk.DeleteTemplate(gone))[:2] == ("NOT_FOUND", "TEMPLATE_NOT_FOUND")
    last = api.DeleteTemplateRequest(name=newest)
    assert failure(lambda: desk.DeleteTemplate(last))[:2] == (
        "FAILED_PRECONDITION",
        "STATE_CONFLICT",
    )


@pytest.mark.parametrize(
    "name",
    [
        *("", "profiles/a", "profiles/a/templates/", "profiles/a/templates/x", "templates/1"),
        *(f"profiles/a/templates/{10**30}", "profiles//templates/1"),
    ],
)
def test_names_of_templates(desk: EnrollmentServiceStub, name: str) -> None:
    request = api.DeleteTemplateRequest(name=name)
    assert failure(lambda: desk.DeleteTemplate(request)) == (
        "INVALID_ARGUMENT",
        "REQUEST_INVALID",
        "name",
    )


def test_a_batch_answers_each_item_by_itself(
    desk: EnrollmentServiceStub, portraits: dict[str, bytes]
) -> None:
    items = [
        asked("Eileen", portraits["collins"]),
        asked("Nobody", nobody()),
        asked("Damaged", b"not a picture"),
        asked("", portraits["collins"]),
        asked("Barack", portraits["obama-2012"]),
    ]
    requests = (api.BatchEnrollRequest(enrollment=item) for item in items)
    results = desk.BatchEnroll(requests).results
    assert [result.index for result in results] == [0, 1, 2, 3, 4]
    assert [result.HasField("profile") for result in results] == [True, False, False, False, True]
    assert [result.error.reason for result in results] == [
        *("", "", "IMAGE_INVALID", "REQUEST_INVALID", ""),
    ]
    assert results[1].images[0].reasons
    assert results[2].error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    for result in (results[0], results[4]):
        desk.EraseProfile(api.EraseProfileRequest(name=result.profile.name))


def test_a_batch_of_nobody(desk: EnrollmentServiceStub) -> None:
    assert list(desk.BatchEnroll(iter(())).results) == []


def test_bytes_that_are_no_message_in_a_stream(new_home: Callable[[], Path]) -> None:
    with ServerProcess(new_home()) as server, grpc.insecure_channel(server.address) as channel:
        call = channel.stream_unary("/facerec.v1.EnrollmentService/BatchEnroll")
        assert failure(lambda: call(iter([b"\xff\xff"]), timeout=30))[:2] == (
            "INVALID_ARGUMENT",
            "REQUEST_INVALID",
        )
