"""Between messages about pictures and the types of facerec.

This module, `profile_serde`, `admin_serde` and `resource_names` are all that know both sides.
"""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from facerec.analysis.faces import FaceQuality, Faces
from facerec.decision.decision import Decision, Outcome, Reason
from facerec.decision.gate_answer import GateOutcome, GateReason
from facerec.decision.verification import VerificationOutcome
from facerec.gallery.audit.entry import AuditEntry
from facerec.v1 import face_pb2, image_pb2, reason_pb2
from facerec.v1 import verification_service_pb2 as verification
from facerec_identity.face_reader import RequestImage
from facerec_identity.gate_stream import Turn
from facerec_identity.gatekeeping import Authorization
from facerec_identity.recognition import Comparison, Identification
from facerec_identity.resource_names import gate_to_proto, profile_name_to_proto

__all__ = [
    "authorization_to_proto",
    "comparison_to_proto",
    "decision_to_proto",
    "face_to_proto",
    "identification_to_proto",
    "image_from_proto",
    "reason_to_proto",
    "turn_to_proto",
]

_IDENTIFICATION_OUTCOMES = {
    Outcome.IDENTIFIED: verification.IDENTIFICATION_OUTCOME_IDENTIFIED,
    Outcome.UNKNOWN: verification.IDENTIFICATION_OUTCOME_UNKNOWN,
    Outcome.UNDECIDED: verification.IDENTIFICATION_OUTCOME_UNDECIDED,
}
_VERIFICATION_OUTCOMES = {
    VerificationOutcome.MATCH: verification.VERIFICATION_OUTCOME_MATCH,
    VerificationOutcome.NO_MATCH: verification.VERIFICATION_OUTCOME_NO_MATCH,
    VerificationOutcome.UNDECIDED: verification.VERIFICATION_OUTCOME_UNDECIDED,
}
_AUTHORIZATION_OUTCOMES = {
    GateOutcome.GRANTED: verification.AUTHORIZATION_OUTCOME_GRANTED,
    GateOutcome.DENIED: verification.AUTHORIZATION_OUTCOME_DENIED,
    GateOutcome.UNKNOWN: verification.AUTHORIZATION_OUTCOME_UNKNOWN,
    GateOutcome.RETRY: verification.AUTHORIZATION_OUTCOME_RETRY,
}


def image_from_proto(image: image_pb2.Image, field: str) -> RequestImage:
    """Return a picture of a request; `field` is the path of the Image in it."""
    return RequestImage(image.data, f"{field}.data")


def reason_to_proto(reason: Reason | GateReason) -> reason_pb2.Reason.ValueType:
    """Return the API's word for a reason; they are the same words."""
    return reason_pb2.Reason.Value(f"REASON_{reason.name}")


def face_to_proto(faces: Faces, index: int) -> face_pb2.Face:
    """Return one of several faces."""
    left, top, right, bottom = faces.boxes_xyxy_px[index].tolist()
    points = [face_pb2.Point(x_px=x, y_px=y) for x, y in faces.landmarks_px[index].tolist()]
    return face_pb2.Face(
        bounding_box=face_pb2.BoundingBox(
            left_px=left, top_px=top, right_px=right, bottom_px=bottom
        ),
        landmarks=face_pb2.Landmarks(
            right_eye=points[0],
            left_eye=points[1],
            nose_tip=points[2],
            right_mouth_corner=points[3],
            left_mouth_corner=points[4],
        ),
        detection_score=float(faces.detection_scores[index]),
        quality=None if faces.quality is None else _quality_to_proto(faces.quality, index),
    )


def comparison_to_proto(comparison: Comparison) -> verification.VerifyResponse:
    """Return the answer to a 1:1 question."""
    decided = comparison.verification
    return verification.VerifyResponse(
        outcome=_VERIFICATION_OUTCOMES[decided.outcome],
        reasons=[reason_to_proto(reason) for reason in decided.reasons],
        probe_face=_first_face_to_proto(comparison.probe),
        reference_face=_first_face_to_proto(comparison.reference),
        similarity=decided.similarity,
        threshold=decided.threshold,
        target_fmr=decided.fmr,
        similarity_fmr=comparison.similarity_fmr,
    )


def identification_to_proto(answer: Identification) -> verification.IdentifyResponse:
    """Return the answer to a 1:N question."""
    return verification.IdentifyResponse(
        faces=[
            _identified_face_to_proto(answer.faces, index, decision, name)
            for index, (decision, name) in enumerate(
                zip(answer.decisions, answer.names, strict=True)
            )
        ],
        reasons=[] if len(answer.faces) else [reason_pb2.REASON_NO_FACE],
        target_fpir=answer.target_fpir,
    )


def authorization_to_proto(answer: Authorization) -> verification.AuthorizeResponse:
    """Return the answer to a gate."""
    profile, wait = answer.profile, Duration()
    wait.FromMilliseconds(round(answer.wait_s * 1000))
    return verification.AuthorizeResponse(
        outcome=_AUTHORIZATION_OUTCOMES[answer.outcome],
        reasons=[reason_to_proto(reason) for reason in answer.reasons],
        profile="" if profile is None else profile_name_to_proto(profile.profile_id),
        display_name="" if profile is None else profile.name,
        operating_point=answer.operating_point,
        target_fpir=answer.target_fpir,
        face=_first_face_to_proto(answer.faces),
        decision_id=answer.decision_id,
        wait=wait if answer.wait_s > 0 else None,
    )


def turn_to_proto(turn: Turn) -> verification.StreamAuthorizeResponse:
    """Return what a gate's camera is told."""
    answer = turn.answer
    return verification.StreamAuthorizeResponse(
        decision=None if answer is None else authorization_to_proto(answer),
        ping=verification.StreamAuthorizePing() if answer is None else None,
        analyzed_frame_count=turn.analyzed,
        dropped_frame_count=turn.dropped,
    )


def decision_to_proto(entry: AuditEntry) -> verification.GateDecision:
    """Return what the journal has of an answer to a gate.

    The last word of its note is the decision's id; a monitor's has camera and track before it.
    """
    event, made = entry.event, Timestamp()
    made.FromDatetime(entry.recorded)
    profile_id = event.profile_id
    return verification.GateDecision(
        decision_id=event.note.rpartition(" ")[2],
        gate=gate_to_proto(event.place),
        outcome=_AUTHORIZATION_OUTCOMES[GateOutcome(event.outcome)],
        reasons=[reason_pb2.Reason.Value(f"REASON_{reason.upper()}") for reason in event.reasons],
        profile="" if profile_id is None else profile_name_to_proto(profile_id),
        decide_time=made,
        operating_point=event.operating_point,
        client=entry.actor,
        similarity=event.score,
        threshold=event.threshold,
    )


def _quality_to_proto(quality: FaceQuality, index: int) -> face_pb2.FaceQuality:
    return face_pb2.FaceQuality(
        overall=float(quality.overall[index]),
        size=float(quality.size[index]),
        sharpness=float(quality.sharpness[index]),
        brightness=float(quality.brightness[index]),
        contrast=float(quality.contrast[index]),
        pose=float(quality.pose[index]),
        visibility=float(quality.visibility[index]),
    )


def _first_face_to_proto(faces: Faces) -> face_pb2.Face | None:
    return face_to_proto(faces, 0) if len(faces) else None


def _identified_face_to_proto(
    faces: Faces, index: int, decision: Decision, name: str
) -> verification.IdentifiedFace:
    profile_id = decision.profile_id
    return verification.IdentifiedFace(
        face=face_to_proto(faces, index),
        outcome=_IDENTIFICATION_OUTCOMES[decision.outcome],
        reasons=[reason_to_proto(reason) for reason in decision.reasons],
        profile="" if profile_id is None else profile_name_to_proto(profile_id),
        display_name=name,
        similarity=decision.similarity,
        threshold=decision.threshold,
        margin=decision.margin,
    )
