"""What a gate is not told, in whatever answer it may lie."""

from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from facerec.v1 import verification_service_pb2
from facerec_identity.security.access_table import ACCESS
from facerec_identity.security.caller import Role
from facerec_identity.security.score_withholding import WITHHELD, withhold_scores

NUMBERS = (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE)

# Numbers that say nothing of how alike two faces are; whoever adds one decides about it here.
HARMLESS = {
    *(f"BoundingBox.{side}_px" for side in ("left", "top", "right", "bottom")),
    *("Point.x_px", "Point.y_px", "Face.detection_score"),
    *(f"FaceQuality.{part}" for part in ("overall", "size", "sharpness", "brightness")),
    *(f"FaceQuality.{part}" for part in ("contrast", "pose", "visibility")),
    # Rates that are set, the same in every answer.
    *("VerifyResponse.target_fmr", "IdentifyResponse.target_fpir"),
    "AuthorizeResponse.target_fpir",
}


def answers_to_gates() -> list[Descriptor]:
    return [
        method.output_type
        for service in verification_service_pb2.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if Role.GATE in ACCESS[f"/{service.full_name}/{method.name}"]
    ]


def reachable(message: Descriptor) -> Iterator[FieldDescriptor]:
    for field in message.fields:
        yield field
        if field.message_type is not None:
            yield from reachable(field.message_type)


def filled(message: Message) -> Message:
    """Set every field, one element of each list."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type is not None:
            inner = getattr(message, field.name)
            filled(inner.add() if field.is_repeated else inner)
        elif field.type in NUMBERS:
            setattr(message, field.name, 0.5)
    return message


def numbers_of(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if field.is_repeated else (value,):
                yield from numbers_of(inner)
        elif field.type in NUMBERS:
            yield f"{message.DESCRIPTOR.name}.{field.name}"


def test_gates_are_answered_by_five_methods() -> None:
    assert len(answers_to_gates()) == 5


def test_every_number_is_withheld_or_harmless() -> None:
    found = {
        f"{field.containing_type.name}.{field.name}"
        for answer in answers_to_gates()
        for field in reachable(answer)
        if field.type in NUMBERS
    }
    withheld = {
        f"{kind.DESCRIPTOR.name}.{name}" for kind, names in WITHHELD.items() for name in names
    }
    assert found == withheld | HARMLESS
    assert not withheld & HARMLESS


def test_what_is_withheld_is_gone_wherever_it_lies_and_the_rest_stays() -> None:
    for answer in answers_to_gates():
        message = filled(GetMessageClass(answer)())
        before = set(numbers_of(message))
        withhold_scores(message)
        assert set(numbers_of(message)) == before & HARMLESS
