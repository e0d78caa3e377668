"""From facerec's types to messages and back."""

from datetime import UTC, datetime

import numpy as np
import pytest

from facerec.analysis.faces import FaceQuality, Faces
from facerec.decision.decision import Decision, Outcome, Reason
from facerec.decision.enrolment import AssessedPicture
from facerec.decision.verification import Verification, VerificationOutcome
from facerec.errors import RequestError
from facerec.gallery.profile import NewTemplate, Profile, ProfileState
from facerec.v1 import enrollment_service_pb2 as enrollment
from facerec.v1 import profile_pb2, reason_pb2
from facerec.v1 import verification_service_pb2 as verification
from facerec_identity import profile_serde, resource_names, serde
from facerec_identity.enrolment import Enrolment
from facerec_identity.recognition import Comparison, Identification

NONE = Faces.empty()


def two_faces() -> Faces:
    """Every number differs from every other, so that one in a wrong place shows."""
    numbers = iter(np.arange(1, 100, dtype=np.float32) / 4)

    def take(*shape: int) -> np.ndarray:
        count = int(np.prod(shape))
        return np.array([next(numbers) for _ in range(count)], np.float32).reshape(shape)

    return Faces(
        boxes_xyxy_px=take(2, 4),
        detection_scores=take(2),
        landmarks_px=take(2, 5, 2),
        quality=FaceQuality(*(take(2) for _ in range(7))),
    )


@pytest.mark.parametrize("index", [0, 1])
def test_a_face_keeps_every_number(index: int) -> None:
    faces = two_faces()
    face = serde.face_to_proto(faces, index)
    box = face.bounding_box
    assert [box.left_px, box.top_px, box.right_px, box.bottom_px] == list(
        faces.boxes_xyxy_px[index]
    )
    marks = face.landmarks
    points = [marks.right_eye, marks.left_eye, marks.nose_tip]
    points += [marks.right_mouth_corner, marks.left_mouth_corner]
    assert [(p.x_px, p.y_px) for p in points] == [tuple(p) for p in faces.landmarks_px[index]]
    assert face.detection_score == faces.detection_scores[index]
    assert faces.quality is not None
    for name, values in vars(faces.quality).items():
        assert getattr(face.quality, name) == values[index]


def test_a_face_without_quality_has_none() -> None:
    faces = two_faces()
    plain = Faces(faces.boxes_xyxy_px, faces.detection_scores, faces.landmarks_px)
    assert not serde.face_to_proto(plain, 0).HasField("quality")


@pytest.mark.parametrize("outcome", list(VerificationOutcome))
def test_every_verification_outcome(outcome: VerificationOutcome) -> None:
    decided = Verification(outcome, 0.5, 0.25, 1e-4, (Reason.BLURRED, Reason.TOO_SMALL))
    message = serde.comparison_to_proto(Comparison(decided, 1e-5, two_faces(), NONE))
    name = verification.VerificationOutcome.Name(message.outcome)
    assert name == f"VERIFICATION_OUTCOME_{outcome.name}"
    assert list(message.reasons) == [reason_pb2.REASON_BLURRED, reason_pb2.REASON_TOO_SMALL]
    assert (message.similarity, message.threshold) == (0.5, 0.25)
    assert (message.target_fmr, message.similarity_fmr) == (1e-4, 1e-5)
    assert message.probe_face == serde.face_to_proto(two_faces(), 0)
    assert not message.HasField("reference_face")


def test_what_was_not_compared_has_no_score() -> None:
    decided = Verification(VerificationOutcome.UNDECIDED, None, 0.0, 1e-4, (Reason.NO_FACE,))
    message = serde.comparison_to_proto(Comparison(decided, None, NONE, two_faces()))
    assert not message.HasField("similarity")
    assert not message.HasField("similarity_fmr")
    assert message.HasField("threshold")  # 0 is a threshold, and not the same as none
    assert not message.HasField("probe_face")
    assert message.HasField("reference_face")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_identification_outcome(outcome: Outcome) -> None:
    named = outcome is Outcome.IDENTIFIED
    reasons = () if named else (Reason.NARROW_MARGIN,)
    decision = Decision(outcome, "p-1" if named else None, 0.5, 0.25, None, reasons)
    names = ("Ada" if named else "", "")
    message = serde.identification_to_proto(
        Identification(two_faces(), (decision, decision), names, 0.01)
    )
    face = message.faces[0]
    name = verification.IdentificationOutcome.Name(face.outcome)
    assert name == f"IDENTIFICATION_OUTCOME_{outcome.name}"
    assert (face.profile, face.display_name) == (("profiles/p-1", "Ada") if named else ("", ""))
    assert [reason_pb2.Reason.Name(r) for r in face.reasons] == [
        f"REASON_{r.name}" for r in reasons
    ]
    assert not face.HasField("margin")
    assert message.faces[1].face == serde.face_to_proto(two_faces(), 1)
    assert not message.reasons


def test_no_face_is_said() -> None:
    message = serde.identification_to_proto(Identification(NONE, (), (), 0.01))
    assert list(message.reasons) == [reason_pb2.REASON_NO_FACE]


@pytest.mark.parametrize("state", list(ProfileState))
def test_a_profile(state: ProfileState) -> None:
    created = datetime(2026, 2, 3, 4, 5, 6, 789000, UTC)
    message = profile_serde.profile_to_proto(
        Profile("p-1", "Ada", ("guests", "staff"), state, "form 17", 3, created)
    )
    assert profile_pb2.Profile.State.Name(message.state) == f"STATE_{state.name}"
    assert (message.name, message.display_name) == ("profiles/p-1", "Ada")
    assert list(message.galleries) == ["galleries/guests", "galleries/staff"]
    assert (message.consent, message.template_count) == ("form 17", 3)
    assert message.create_time.ToDatetime(tzinfo=UTC) == created


def test_an_enrolment_says_what_became_of_each_picture() -> None:
    template = NewTemplate(np.array([1, 0], np.float32), "space", 1.0, "")
    pictures = (
        AssessedPicture(template, ()),
        AssessedPicture(None, (Reason.NO_FACE,)),
    )
    message = profile_serde.enrolment_to_proto(Enrolment(None, 0, pictures))
    assert not message.HasField("profile")
    accepted, rejected = message.images
    assert accepted.outcome == enrollment.ENROLLMENT_OUTCOME_ACCEPTED
    assert rejected.outcome == enrollment.ENROLLMENT_OUTCOME_REJECTED
    assert list(rejected.reasons) == [reason_pb2.REASON_NO_FACE]


def test_resource_names() -> None:
    names = resource_names
    assert names.gallery_from_proto(names.gallery_to_proto("staff"), "f") == "staff"
    assert names.profile_id_from_proto(names.profile_name_to_proto("p-1"), "f") == "p-1"
    assert names.template_from_proto(names.template_name_to_proto("p-1", 7), "f") == ("p-1", 7)


@pytest.mark.parametrize("name", ["", "staff", "galleries/", "galleries/a/b", "profiles/a", "/a"])
def test_bad_resource_names_name_their_field(name: str) -> None:
    with pytest.raises(RequestError) as caught:
        resource_names.gallery_from_proto(name, "galleries[3]")
    assert caught.value.field == "galleries[3]"
    assert "galleries/" in str(caught.value)


def test_a_new_person_without_a_gallery_goes_to_the_default_one() -> None:
    request = enrollment.CreateProfileRequest(profile=profile_pb2.Profile(display_name="Ada"))
    person = profile_serde.new_person_from_proto(request, "visitors", "local")
    assert (person.galleries, person.profile_id, person.consent) == (("visitors",), None, "")


def test_a_gallery_that_is_named_twice_is_meant_once() -> None:
    profile = profile_pb2.Profile(
        display_name="Ada", galleries=["galleries/b", "galleries/a", "galleries/b"]
    )
    request = enrollment.CreateProfileRequest(profile=profile, profile_id="ada")
    person = profile_serde.new_person_from_proto(request, "visitors", "local")
    assert (person.galleries, person.profile_id) == (("b", "a"), "ada")
