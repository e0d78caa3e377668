"""A whole request, or stream of them, for every call of the API, as bytes that can be broken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from grpc_reflection.v1alpha import reflection_pb2

from facerec.v1 import admin_service_pb2 as admin
from facerec.v1 import enrollment_service_pb2 as enrollment
from facerec.v1 import gate_pb2, image_pb2, profile_pb2
from facerec.v1 import verification_service_pb2 as verification
from facerec_identity.security.access_table import ACCESS

GALLERY = "galleries/default"
SERVICES = {
    **verification.DESCRIPTOR.services_by_name,
    **enrollment.DESCRIPTOR.services_by_name,
    **admin.DESCRIPTOR.services_by_name,
    **reflection_pb2.DESCRIPTOR.services_by_name,
}
STREAMS = {
    f"/{service.full_name}/{method.name}"
    for service in SERVICES.values()
    for method in service.methods
    if method.client_streaming or method.server_streaming
}
ENDLESS = "WatchDecisions"
"""Answers for ever; one that has nothing to tell is left after a moment."""

_MOMENT_S = 0.2
_HANGS_S = 60.0


@dataclass(frozen=True)
class Call:
    """A method and the messages that are sent to it."""

    method: str
    messages: tuple[bytes, ...]

    @property
    def name(self) -> str:
        return self.method.rsplit("/", 1)[-1]


def whole_calls(pictures: Sequence[bytes]) -> list[Call]:
    """Every call, those with a picture once for each of some pictures; none is a stranger's."""
    requests = [*_about_pictures(pictures), *_about_profiles(), *_about_the_rest()]
    return [_call(*request) for request in requests]


def code_of(channel: grpc.Channel, call: Call) -> str:
    """Make a call to its end and return the name of its status."""
    try:
        if call.method not in STREAMS:
            channel.unary_unary(call.method)(call.messages[0], timeout=_HANGS_S)
            return "OK"
        within_s = _MOMENT_S if call.name == ENDLESS else _HANGS_S
        stream = channel.stream_stream(call.method)(iter(call.messages), timeout=within_s)
        for _ in stream:
            if call.name == ENDLESS:
                stream.cancel()
                break
    except grpc.RpcError as error:
        code = str(error.code().name)
        patient = call.name == ENDLESS and code == "DEADLINE_EXCEEDED"
        return "OK" if patient else code
    return "OK"


def _call(name: str, *messages: Message) -> Call:
    (method,) = (path for path in ACCESS if path.endswith(f"/{name}"))
    return Call(method, tuple(message.SerializeToString() for message in messages))


def _about_pictures(pictures: Sequence[bytes]) -> Iterator[tuple[str, *tuple[Message, ...]]]:
    for data in pictures:
        image = image_pb2.Image(data=data)
        portrait = enrollment.EnrollmentImage(image=image)
        person = enrollment.CreateProfileRequest(
            profile=profile_pb2.Profile(display_name="Ada", galleries=[GALLERY]), images=[portrait]
        )
        frames = [
            verification.StreamAuthorizeRequest(
                frame=verification.GateFrame(
                    image=image, capture_offset=Duration(nanos=i * 200_000_000)
                )
            )
            for i in range(2)
        ]
        config = verification.StreamAuthorizeConfig(gate="gates/main")
        yield "Identify", verification.IdentifyRequest(image=image, galleries=[GALLERY])
        yield "Verify", verification.VerifyRequest(probe=image, profile="profiles/p")
        yield "Authorize", verification.AuthorizeRequest(gate="gates/main", image=image)
        yield "StreamAuthorize", verification.StreamAuthorizeRequest(config=config), *frames
        yield "CreateProfile", person
        yield (
            "CreateTemplate",
            enrollment.CreateTemplateRequest(parent="profiles/p", image=portrait),
        )
        item = enrollment.BatchEnrollRequest(enrollment=person)
        yield "BatchEnroll", item, item


def _about_profiles() -> Iterator[tuple[str, Message]]:
    changed = profile_pb2.Profile(name="profiles/p", display_name="Bea", attributes={"a": "b"})
    yield (
        "UpdateProfile",
        enrollment.UpdateProfileRequest(
            profile=changed, update_mask=FieldMask(paths=["display_name", "attributes"])
        ),
    )
    yield "GetProfile", enrollment.GetProfileRequest(name="profiles/p")
    yield "ListProfiles", enrollment.ListProfilesRequest(gallery=GALLERY, page_token="eA")
    yield "EraseProfile", enrollment.EraseProfileRequest(name="profiles/gone")
    yield "ListTemplates", enrollment.ListTemplatesRequest(parent="profiles/p", page_size=2)
    yield (
        "DeleteTemplate",
        enrollment.DeleteTemplateRequest(name="profiles/p/templates/1"),
    )


def _about_the_rest() -> Iterator[tuple[str, *tuple[Message, ...]]]:
    policy = gate_pb2.GatePolicy(
        galleries=[GALLERY],
        zone=[gate_pb2.RelativePoint(x=x, y=y) for x, y in ((0.2, 0.1), (0.8, 0.1), (0.5, 0.9))],
        cool_down=Duration(seconds=5),
        schedule=["mon-fri 06:00-20:00"],
        time_zone="Europe/Berlin",
    )
    gate = gate_pb2.Gate(name="gates/side", policy=policy)
    symbol = "facerec.v1.VerificationService"
    yield (
        "ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol),
        reflection_pb2.ServerReflectionRequest(list_services="x"),
    )
    yield "WatchDecisions", verification.WatchDecisionsRequest(gates=["gates/main"])
    yield "ListGalleries", admin.ListGalleriesRequest(page_size=1)
    yield "GetGallery", admin.GetGalleryRequest(name=GALLERY)
    yield "CreateGallery", admin.CreateGalleryRequest(gallery_id="visitors")
    yield "DeleteGallery", admin.DeleteGalleryRequest(name="galleries/visitors")
    yield "ListGates", admin.ListGatesRequest(page_size=1)
    yield "GetGate", admin.GetGateRequest(name="gates/main")
    yield "CreateGate", admin.CreateGateRequest(gate_id="side", gate=gate)
    yield "UpdateGate", admin.UpdateGateRequest(gate=gate)
    yield "DeleteGate", admin.DeleteGateRequest(name="gates/side")
    yield "ListOperatingPoints", admin.ListOperatingPointsRequest()
    yield "ListModels", admin.ListModelsRequest()
    yield "GetStatistics", admin.GetStatisticsRequest()
    yield (
        "ListAuditEntries",
        admin.ListAuditEntriesRequest(kinds=["authorized"], actor="local", page_size=5),
    )
