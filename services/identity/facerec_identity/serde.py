"""Between messages of the API and the types of facerec; the one place that knows both."""

from google.protobuf.timestamp_pb2 import Timestamp

from facerec.analysis.faces import FaceQuality, Faces
from facerec.decision.decision import Decision, Outcome, Reason
from facerec.decision.enrolment import AssessedPicture
from facerec.decision.verification import VerificationOutcome
from facerec.errors import RequestError
from facerec.gallery.profile import Profile, ProfileState
from facerec.v1 import enrollment_service_pb2 as enrollment
from facerec.v1 import face_pb2, image_pb2, profile_pb2, reason_pb2
from facerec.v1 import verification_service_pb2 as verification
from facerec_identity.enrolment import Enrolment, NewPerson
from facerec_identity.face_reader import RequestImage
from facerec_identity.gatekeeping import Authorization, AuthorizationOutcome
from facerec_identity.recognition import Comparison, Identification

__all__ = [
    "authorization_to_proto",
    "comparison_to_proto",
    "enrolment_to_proto",
    "face_to_proto",
    "gallery_from_proto",
    "gallery_to_proto",
    "gate_from_proto",
    "identification_to_proto",
    "image_from_proto",
    "images_from_proto",
    "new_person_from_proto",
    "profile_id_from_proto",
    "profile_name_to_proto",
    "profile_to_proto",
    "reason_to_proto",
]

_GALLERIES = "galleries/"
_PROFILES = "profiles/"
_GATES = "gates/"
_MOST_IMAGES = 50
_LONGEST_CONSENT = 500
_LONGEST_SOURCE = 200

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
    AuthorizationOutcome.GRANTED: verification.AUTHORIZATION_OUTCOME_GRANTED,
    AuthorizationOutcome.DENIED: verification.AUTHORIZATION_OUTCOME_DENIED,
    AuthorizationOutcome.UNKNOWN: verification.AUTHORIZATION_OUTCOME_UNKNOWN,
    AuthorizationOutcome.RETRY: verification.AUTHORIZATION_OUTCOME_RETRY,
}
_STATES = {
    ProfileState.ACTIVE: profile_pb2.Profile.STATE_ACTIVE,
    ProfileState.SUSPENDED: profile_pb2.Profile.STATE_SUSPENDED,
    ProfileState.EXPIRED: profile_pb2.Profile.STATE_SUSPENDED,
}


def image_from_proto(image: image_pb2.Image, field: str) -> RequestImage:
    """Return a picture of a request; `field` is the path of the Image in it."""
    return RequestImage(image.data, f"{field}.data")


def gallery_from_proto(resource: str, field: str) -> str:
    """Return the gallery's name in ``galleries/{gallery}``.

    Raises:
        RequestError: it is not such a resource name.
    """
    return _resource_id(resource, _GALLERIES, field)


def gallery_to_proto(name: str) -> str:
    """Return the resource name of a gallery."""
    return _GALLERIES + name


def profile_id_from_proto(resource: str, field: str) -> str:
    """Return the id in ``profiles/{profile}``.

    Raises:
        RequestError: it is not such a resource name.
    """
    return _resource_id(resource, _PROFILES, field)


def profile_name_to_proto(profile_id: str) -> str:
    """Return the resource name of a profile."""
    return _PROFILES + profile_id


def reason_to_proto(reason: Reason) -> reason_pb2.Reason.ValueType:
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


def gate_from_proto(resource: str, field: str) -> str:
    """Return the gate's name in ``gates/{gate}``.

    Raises:
        RequestError: it is not such a resource name.
    """
    return _resource_id(resource, _GATES, field)


def authorization_to_proto(
    answer: Authorization, decision_id: str
) -> verification.AuthorizeResponse:
    """Return the answer to a gate."""
    profile = answer.profile
    return verification.AuthorizeResponse(
        outcome=_AUTHORIZATION_OUTCOMES[answer.outcome],
        reasons=[reason_to_proto(reason) for reason in answer.reasons],
        profile="" if profile is None else profile_name_to_proto(profile.profile_id),
        display_name="" if profile is None else profile.name,
        operating_point=answer.operating_point,
        target_fpir=answer.target_fpir,
        face=_first_face_to_proto(answer.faces),
        decision_id=decision_id,
    )


def new_person_from_proto(
    request: enrollment.CreateProfileRequest, default_gallery: str
) -> NewPerson:
    """Return who is to be enrolled.

    Raises:
        RequestError: a field does not hold what it must.
    """
    profile = request.profile
    galleries = [
        gallery_from_proto(name, f"profile.galleries[{i}]")
        for i, name in enumerate(profile.galleries)
    ]
    if not profile.display_name.strip():
        raise RequestError("must hold the person's name", field="profile.display_name")
    return NewPerson(
        name=profile.display_name,
        galleries=tuple(dict.fromkeys(galleries)) or (default_gallery,),
        profile_id=request.profile_id or None,
        consent=_at_most(_LONGEST_CONSENT, profile.consent, "profile.consent"),
    )


def images_from_proto(
    request: enrollment.CreateProfileRequest,
) -> tuple[list[RequestImage], list[str]]:
    """Return the pictures to enrol from and where each came from.

    Raises:
        RequestError: there is none, or there are too many.
    """
    if not 1 <= len(request.images) <= _MOST_IMAGES:
        raise RequestError(
            f"must hold 1 to {_MOST_IMAGES} pictures; received {len(request.images)}",
            field="images",
        )
    images = [image_from_proto(e.image, f"images[{i}].image") for i, e in enumerate(request.images)]
    sources = [
        _at_most(_LONGEST_SOURCE, entry.source, f"images[{i}].source")
        for i, entry in enumerate(request.images)
    ]
    return images, sources


def enrolment_to_proto(enrolment: Enrolment) -> enrollment.CreateProfileResponse:
    """Return what became of an enrolment."""
    return enrollment.CreateProfileResponse(
        profile=None if enrolment.profile is None else profile_to_proto(enrolment.profile),
        images=[_picture_to_proto(picture) for picture in enrolment.pictures],
    )


def profile_to_proto(profile: Profile) -> profile_pb2.Profile:
    """Return one profile."""
    created = Timestamp()
    created.FromDatetime(profile.created)
    return profile_pb2.Profile(
        name=profile_name_to_proto(profile.profile_id),
        display_name=profile.name,
        galleries=[gallery_to_proto(name) for name in profile.galleries],
        state=_STATES[profile.state],
        consent=profile.consent,
        template_count=profile.templates,
        create_time=created,
    )


def _resource_id(resource: str, prefix: str, field: str) -> str:
    identifier = resource.removeprefix(prefix)
    if not resource.startswith(prefix) or not identifier or "/" in identifier:
        raise RequestError(f"must be a resource name such as {prefix}example", field=field)
    return identifier


def _at_most(length: int, text: str, field: str) -> str:
    if len(text) > length:
        raise RequestError(
            f"must have at most {length} characters; received {len(text)}", field=field
        )
    return text


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


def _picture_to_proto(picture: AssessedPicture) -> enrollment.EnrollmentImageResult:
    accepted = picture.template is not None
    return enrollment.EnrollmentImageResult(
        outcome=enrollment.ENROLLMENT_OUTCOME_ACCEPTED
        if accepted
        else enrollment.ENROLLMENT_OUTCOME_REJECTED,
        reasons=[reason_to_proto(reason) for reason in picture.reasons],
    )
