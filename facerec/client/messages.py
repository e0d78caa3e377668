"""Between the client's plain values and messages of the API."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from uuid import uuid4

from facerec.client.results import (
    AuthorizationOutcome,
    AuthorizeResult,
    Box,
    EnrolResult,
    ErasureReceipt,
    FoundFace,
    IdentificationOutcome,
    IdentifiedFace,
    IdentifyResult,
    ImageResult,
    Profile,
    ProfilePage,
    ProfileState,
    VerificationOutcome,
    VerifyResult,
    WatchedDecision,
)
from facerec.v1 import enrollment_service_pb2 as enrollment
from facerec.v1 import face_pb2, image_pb2, profile_pb2, reason_pb2
from facerec.v1 import verification_service_pb2 as verification

__all__ = [
    "added_image_from_proto",
    "authorize_result_from_proto",
    "authorize_to_proto",
    "create_profile_to_proto",
    "create_template_to_proto",
    "enrol_result_from_proto",
    "erase_profile_to_proto",
    "get_profile_to_proto",
    "got_profile_from_proto",
    "identify_result_from_proto",
    "identify_to_proto",
    "list_profiles_to_proto",
    "profile_from_proto",
    "profile_page_from_proto",
    "receipt_from_proto",
    "stream_config_to_proto",
    "stream_frame_to_proto",
    "stream_result_from_proto",
    "verify_result_from_proto",
    "verify_to_proto",
    "watch_to_proto",
    "watched_from_proto",
]

_AUTHORIZATION_OUTCOMES = {
    verification.AUTHORIZATION_OUTCOME_GRANTED: AuthorizationOutcome.GRANTED,
    verification.AUTHORIZATION_OUTCOME_DENIED: AuthorizationOutcome.DENIED,
    verification.AUTHORIZATION_OUTCOME_UNKNOWN: AuthorizationOutcome.UNKNOWN,
    verification.AUTHORIZATION_OUTCOME_RETRY: AuthorizationOutcome.RETRY,
}
_STATES = {
    profile_pb2.Profile.STATE_ACTIVE: ProfileState.ACTIVE,
    profile_pb2.Profile.STATE_EXPIRED: ProfileState.EXPIRED,
}
_VERIFICATION_OUTCOMES = {
    verification.VERIFICATION_OUTCOME_MATCH: VerificationOutcome.MATCH,
    verification.VERIFICATION_OUTCOME_NO_MATCH: VerificationOutcome.NO_MATCH,
}
_IDENTIFICATION_OUTCOMES = {
    verification.IDENTIFICATION_OUTCOME_IDENTIFIED: IdentificationOutcome.IDENTIFIED,
    verification.IDENTIFICATION_OUTCOME_UNKNOWN: IdentificationOutcome.UNKNOWN,
}


def verify_to_proto(probe: bytes, reference: str | bytes) -> verification.VerifyRequest:
    """Return the 1:1 question; `reference` is a profile's id or a picture."""
    request = verification.VerifyRequest(probe=image_pb2.Image(data=probe))
    if isinstance(reference, str):
        request.profile = f"profiles/{reference}"
    else:
        request.reference_image.data = reference
    return request


def identify_to_proto(
    image: bytes, galleries: Sequence[str], main_only: bool
) -> verification.IdentifyRequest:
    """Return the 1:N question."""
    return verification.IdentifyRequest(
        image=image_pb2.Image(data=image),
        galleries=_gallery_names(galleries),
        face_selection=verification.FACE_SELECTION_MAIN
        if main_only
        else verification.FACE_SELECTION_EVERY,
    )


def create_profile_to_proto(
    name: str,
    images: Sequence[bytes],
    *,
    galleries: Sequence[str],
    profile_id: str,
    consent: str,
    source: str,
    allow_same_person: bool,
) -> enrollment.CreateProfileRequest:
    """Return the request to enrol a person."""
    return enrollment.CreateProfileRequest(
        profile=profile_pb2.Profile(
            display_name=name, galleries=_gallery_names(galleries), consent=consent
        ),
        profile_id=profile_id,
        # So that gRPC may repeat the call: the same message enrols once.
        request_id=str(uuid4()),
        allow_same_person=allow_same_person,
        images=[
            enrollment.EnrollmentImage(image=image_pb2.Image(data=image), source=source)
            for image in images
        ],
    )


def create_template_to_proto(
    profile_id: str, image: bytes, source: str
) -> enrollment.CreateTemplateRequest:
    """Return the request to add one more picture of a person."""
    return enrollment.CreateTemplateRequest(
        parent=f"profiles/{profile_id}",
        image=enrollment.EnrollmentImage(image=image_pb2.Image(data=image), source=source),
    )


def added_image_from_proto(response: enrollment.CreateTemplateResponse) -> ImageResult:
    """Return what became of one more picture."""
    return _image_result(response.image)


def get_profile_to_proto(profile_id: str) -> enrollment.GetProfileRequest:
    """Return the request for one profile."""
    return enrollment.GetProfileRequest(name=f"profiles/{profile_id}")


def erase_profile_to_proto(profile_id: str) -> enrollment.EraseProfileRequest:
    """Return the request to erase a person."""
    return enrollment.EraseProfileRequest(name=f"profiles/{profile_id}")


def receipt_from_proto(response: enrollment.EraseProfileResponse) -> ErasureReceipt:
    """Return the receipt of an erasure."""
    receipt = response.receipt
    return ErasureReceipt(
        receipt_id=receipt.receipt_id,
        cause=receipt.cause,
        erased=receipt.erase_time.ToDatetime(tzinfo=UTC),
        templates=receipt.template_count,
        evidence_sha256=receipt.evidence_sha256,
    )


def got_profile_from_proto(response: enrollment.GetProfileResponse) -> Profile:
    """Return the profile that was asked for."""
    return profile_from_proto(response.profile)


def profile_page_from_proto(response: enrollment.ListProfilesResponse) -> ProfilePage:
    """Return a page of profiles."""
    return ProfilePage(tuple(map(profile_from_proto, response.profiles)), response.next_page_token)


def list_profiles_to_proto(gallery: str, page_token: str) -> enrollment.ListProfilesRequest:
    """Return the request for a page of a gallery's profiles; of all when `gallery` is ""."""
    return enrollment.ListProfilesRequest(
        gallery=f"galleries/{gallery}" if gallery else "", page_token=page_token
    )


def verify_result_from_proto(response: verification.VerifyResponse) -> VerifyResult:
    """Return the answer to a 1:1 question; an outcome that is not known counts as undecided."""
    return VerifyResult(
        outcome=_VERIFICATION_OUTCOMES.get(response.outcome, VerificationOutcome.UNDECIDED),
        reasons=_reasons(response.reasons),
        similarity=response.similarity if response.HasField("similarity") else None,
        threshold=response.threshold if response.HasField("threshold") else None,
        target_fmr=response.target_fmr,
        similarity_fmr=response.similarity_fmr if response.HasField("similarity_fmr") else None,
        probe_face=_face(response.probe_face) if response.HasField("probe_face") else None,
        reference_face=_face(response.reference_face)
        if response.HasField("reference_face")
        else None,
    )


def identify_result_from_proto(response: verification.IdentifyResponse) -> IdentifyResult:
    """Return the answer to a 1:N question; an outcome that is not known counts as undecided."""
    return IdentifyResult(
        faces=tuple(_identified_face(face) for face in response.faces),
        reasons=_reasons(response.reasons),
        target_fpir=response.target_fpir,
    )


def authorize_to_proto(gate: str, image: bytes) -> verification.AuthorizeRequest:
    """Return a gate's question."""
    return verification.AuthorizeRequest(gate=f"gates/{gate}", image=image_pb2.Image(data=image))


def authorize_result_from_proto(response: verification.AuthorizeResponse) -> AuthorizeResult:
    """Return the answer to a gate; it stays shut at an outcome that is not known."""
    return AuthorizeResult(
        outcome=_AUTHORIZATION_OUTCOMES.get(response.outcome, AuthorizationOutcome.RETRY),
        reasons=_reasons(response.reasons),
        profile_id=response.profile.removeprefix("profiles/") or None,
        display_name=response.display_name or None,
        operating_point=response.operating_point,
        target_fpir=response.target_fpir,
        face=_face(response.face) if response.HasField("face") else None,
        decision_id=response.decision_id,
        wait_s=response.wait.ToMilliseconds() / 1000 if response.HasField("wait") else None,
    )


def stream_config_to_proto(gate: str) -> verification.StreamAuthorizeRequest:
    """Return what the stream of a gate's camera begins with."""
    config = verification.StreamAuthorizeConfig(gate=f"gates/{gate}")
    return verification.StreamAuthorizeRequest(config=config)


def stream_frame_to_proto(
    data: bytes, clock_s: float | None
) -> verification.StreamAuthorizeRequest:
    """Return one frame of a gate's camera, and when it was taken."""
    frame = verification.GateFrame(image=image_pb2.Image(data=data))
    if clock_s is not None:
        frame.capture_offset.FromNanoseconds(round(clock_s * 1e9))
    return verification.StreamAuthorizeRequest(frame=frame)


def stream_result_from_proto(
    response: verification.StreamAuthorizeResponse,
) -> AuthorizeResult | None:
    """Return a decision for a gate's camera; None for a message that holds none."""
    if not response.HasField("decision"):
        return None
    return authorize_result_from_proto(response.decision)


def watch_to_proto(gates: Sequence[str], resume_token: str) -> verification.WatchDecisionsRequest:
    """Return the question for the answers to gates."""
    names = [f"gates/{gate}" for gate in gates]
    return verification.WatchDecisionsRequest(gates=names, resume_token=resume_token)


def watched_from_proto(response: verification.WatchDecisionsResponse) -> WatchedDecision:
    """Return what a watcher is told."""
    told = response.decision
    if not response.HasField("decision"):
        return WatchedDecision(response.resume_token)
    return WatchedDecision(
        response.resume_token,
        decision_id=told.decision_id,
        gate=told.gate.removeprefix("gates/"),
        outcome=_AUTHORIZATION_OUTCOMES.get(told.outcome, AuthorizationOutcome.RETRY),
        reasons=_reasons(told.reasons),
        profile_id=told.profile.removeprefix("profiles/") or None,
        decided=told.decide_time.ToDatetime(tzinfo=UTC),
        client=told.client,
    )


def enrol_result_from_proto(response: enrollment.CreateProfileResponse) -> EnrolResult:
    """Return what became of an enrolment."""
    return EnrolResult(
        profile=profile_from_proto(response.profile) if response.HasField("profile") else None,
        images=tuple(map(_image_result, response.images)),
    )


def profile_from_proto(profile: profile_pb2.Profile) -> Profile:
    """Return one profile; a state that is not known counts as suspended."""
    return Profile(
        profile_id=profile.name.removeprefix("profiles/"),
        display_name=profile.display_name,
        galleries=tuple(name.removeprefix("galleries/") for name in profile.galleries),
        state=_STATES.get(profile.state, ProfileState.SUSPENDED),
        consent=profile.consent,
        templates=profile.template_count,
        created=profile.create_time.ToDatetime(tzinfo=UTC),
    )


def _image_result(image: enrollment.EnrollmentImageResult) -> ImageResult:
    return ImageResult(
        accepted=image.outcome == enrollment.ENROLLMENT_OUTCOME_ACCEPTED,
        reasons=_reasons(image.reasons),
    )


def _gallery_names(galleries: Sequence[str]) -> list[str]:
    return [f"galleries/{name}" for name in galleries]


def _reasons(values: Iterable[reason_pb2.Reason.ValueType]) -> tuple[str, ...]:
    """Return the words of reasons; one that this client does not know keeps its number."""
    known = reason_pb2.Reason.DESCRIPTOR.values_by_number
    return tuple(
        known[value].name.removeprefix("REASON_").lower() if value in known else f"reason_{value}"
        for value in values
    )


def _face(face: face_pb2.Face) -> FoundFace:
    box = face.bounding_box
    return FoundFace(
        box=Box(box.left_px, box.top_px, box.right_px, box.bottom_px),
        detection_score=face.detection_score,
        quality=face.quality.overall,
    )


def _identified_face(face: verification.IdentifiedFace) -> IdentifiedFace:
    return IdentifiedFace(
        face=_face(face.face),
        outcome=_IDENTIFICATION_OUTCOMES.get(face.outcome, IdentificationOutcome.UNDECIDED),
        reasons=_reasons(face.reasons),
        profile_id=face.profile.removeprefix("profiles/") or None,
        display_name=face.display_name or None,
        similarity=face.similarity if face.HasField("similarity") else None,
        threshold=face.threshold if face.HasField("threshold") else None,
        margin=face.margin if face.HasField("margin") else None,
    )
