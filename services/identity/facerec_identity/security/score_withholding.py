"""Takes similarities and thresholds out of answers for callers that may not see them."""

from google.protobuf.message import Message

from facerec.v1 import verification_service_pb2 as api

__all__ = ["WITHHELD", "withhold_scores"]

WITHHELD: dict[type[Message], tuple[str, ...]] = {
    api.VerifyResponse: ("similarity", "threshold", "similarity_fmr"),
    api.GateDecision: ("similarity", "threshold"),
    api.IdentifiedFace: ("similarity", "threshold", "margin"),
}
"""The fields that tell how similar faces are, by message."""


def withhold_scores(response: Message) -> None:
    """Clear the scores of an answer, however deep they lie."""
    for field in WITHHELD.get(type(response), ()):
        response.ClearField(field)
    for descriptor, value in response.ListFields():
        if descriptor.message_type is None:
            continue
        for message in value if descriptor.is_repeated else (value,):
            withhold_scores(message)
