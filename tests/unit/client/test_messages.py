"""From answers of the API to the client's plain values."""

from datetime import UTC, datetime

import pytest

from facerec.client import messages
from facerec.client.results import (
    Box,
    FoundFace,
    IdentificationOutcome,
    ProfileState,
    VerificationOutcome,
)
from facerec.v1 import enrollment_service_pb2 as enrollment
from facerec.v1 import face_pb2, profile_pb2, reason_pb2
from facerec.v1 import verification_service_pb2 as verification

FACE = face_pb2.Face(
    bounding_box=face_pb2.BoundingBox(left_px=1, top_px=2, right_px=3, bottom_px=4),
    detection_score=0.5,
    quality=face_pb2.FaceQuality(overall=0.25),
)
FOUND = FoundFace(Box(1, 2, 3, 4), 0.5, 0.25)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (verification.VERIFICATION_OUTCOME_MATCH, VerificationOutcome.MATCH),
        (verification.VERIFICATION_OUTCOME_NO_MATCH, VerificationOutcome.NO_MATCH),
        (verification.VERIFICATION_OUTCOME_UNDECIDED, VerificationOutcome.UNDECIDED),
        (verification.VERIFICATION_OUTCOME_UNSPECIFIED, VerificationOutcome.UNDECIDED),
        (99, VerificationOutcome.UNDECIDED),  # of a newer server: never takes it for a match
    ],
)
def test_verification_outcomes(value: int, expected: VerificationOutcome) -> None:
    response = verification.VerifyResponse.FromString(bytes([0x08, value]))
    result = messages.verify_result_from_proto(response)
    assert result.outcome is expected
    assert result.match is (expected is VerificationOutcome.MATCH)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (verification.IDENTIFICATION_OUTCOME_IDENTIFIED, IdentificationOutcome.IDENTIFIED),
        (verification.IDENTIFICATION_OUTCOME_UNKNOWN, IdentificationOutcome.UNKNOWN),
        (verification.IDENTIFICATION_OUTCOME_UNDECIDED, IdentificationOutcome.UNDECIDED),
        (99, IdentificationOutcome.UNDECIDED),
    ],
)
def test_identification_outcomes(value: int, expected: IdentificationOutcome) -> None:
    face = verification.IdentifiedFace.FromString(bytes([0x10, value]))
    response = verification.IdentifyResponse(faces=[face])
    assert messages.identify_result_from_proto(response).faces[0].outcome is expected


def test_scores_that_are_withheld_are_none() -> None:
    result = messages.verify_result_from_proto(verification.VerifyResponse(probe_face=FACE))
    assert (result.similarity, result.threshold, result.similarity_fmr) == (None, None, None)
    assert (result.probe_face, result.reference_face) == (FOUND, None)


def test_scores_of_zero_are_scores() -> None:
    response = verification.VerifyResponse(similarity=0, threshold=0, similarity_fmr=0)
    result = messages.verify_result_from_proto(response)
    assert (result.similarity, result.threshold, result.similarity_fmr) == (0, 0, 0)


def test_reasons_are_words_and_new_ones_do_no_harm() -> None:
    response = verification.VerifyResponse(reasons=[reason_pb2.REASON_TOO_SMALL])
    response.MergeFromString(bytes([0x12, 0x01, 99]))  # one more, that this client can't know
    assert messages.verify_result_from_proto(response).reasons == ("too_small", "reason_99")


def test_an_identified_face() -> None:
    face = verification.IdentifiedFace(
        face=FACE,
        outcome=verification.IDENTIFICATION_OUTCOME_IDENTIFIED,
        profile="profiles/p-1",
        display_name="Ada",
        similarity=0.5,
        threshold=0.25,
        margin=0.125,
    )
    response = verification.IdentifyResponse(faces=[face], target_fpir=0.01)
    result = messages.identify_result_from_proto(response)
    (found,) = result.faces
    assert found.face == FOUND
    assert (found.profile_id, found.display_name) == ("p-1", "Ada")
    assert (found.similarity, found.threshold, found.margin) == (0.5, 0.25, 0.125)
    assert result.target_fpir == 0.01


def test_a_face_that_is_not_identified_names_nobody() -> None:
    response = verification.IdentifyResponse(faces=[verification.IdentifiedFace(face=FACE)])
    (found,) = messages.identify_result_from_proto(response).faces
    assert (found.profile_id, found.display_name) == (None, None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (profile_pb2.Profile.STATE_ACTIVE, ProfileState.ACTIVE),
        (profile_pb2.Profile.STATE_SUSPENDED, ProfileState.SUSPENDED),
        (99, ProfileState.SUSPENDED),
    ],
)
def test_a_profile(value: int, expected: ProfileState) -> None:
    message = profile_pb2.Profile(
        name="profiles/p-1",
        display_name="Ada",
        galleries=["galleries/staff"],
        consent="form 17",
        template_count=2,
    )
    created = datetime(2026, 1, 2, tzinfo=UTC)
    message.create_time.FromDatetime(created)
    message.MergeFromString(bytes([0x20, value]))
    profile = messages.profile_from_proto(message)
    assert (profile.profile_id, profile.display_name, profile.galleries) == (
        "p-1",
        "Ada",
        ("staff",),
    )
    assert (profile.state, profile.templates, profile.created) == (expected, 2, created)


def test_the_reference_is_a_profile_or_a_picture() -> None:
    assert messages.verify_to_proto(b"a", "p-1").profile == "profiles/p-1"
    request = messages.verify_to_proto(b"a", b"b")
    assert request.WhichOneof("reference") == "reference_image"
    assert (request.probe.data, request.reference_image.data) == (b"a", b"b")


def test_questions() -> None:
    request = messages.identify_to_proto(b"a", ["staff", "guests"], True)
    assert list(request.galleries) == ["galleries/staff", "galleries/guests"]
    assert request.face_selection == verification.FACE_SELECTION_MAIN
    everybody = messages.list_profiles_to_proto("", "token")
    assert (everybody.gallery, everybody.page_token) == ("", "token")
    assert messages.list_profiles_to_proto("staff", "").gallery == "galleries/staff"


def test_an_enrolment() -> None:
    request = messages.create_profile_to_proto(
        "Ada",
        [b"a", b"b"],
        galleries=["staff"],
        profile_id="ada",
        consent="form 17",
        source="desk",
        allow_same_person=True,
    )
    assert [(i.image.data, i.source) for i in request.images] == [(b"a", "desk"), (b"b", "desk")]
    assert (request.profile.display_name, request.profile_id) == ("Ada", "ada")
    response = enrollment.CreateProfileResponse(
        images=[
            {"outcome": enrollment.ENROLLMENT_OUTCOME_ACCEPTED},
            {"outcome": enrollment.ENROLLMENT_OUTCOME_REJECTED, "reasons": [11]},
        ]
    )
    result = messages.enrol_result_from_proto(response)
    assert result.profile is None
    assert [(i.accepted, i.reasons) for i in result.images] == [(True, ()), (False, ("no_face",))]
