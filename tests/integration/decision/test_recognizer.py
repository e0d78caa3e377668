"""Faces made by hand against a real gallery."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facerec.analysis.faces import Faces
from facerec.decision.decision import Outcome, Reason
from facerec.decision.recognizer import Recognizer
from facerec.decision.verification import VerificationOutcome
from facerec.errors import ArrayError, EmbeddingSpaceError, ProfileNotFoundError
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import NewTemplate, ProfileState
from tests.unit.decision.faces import faces_of_sides
from tests.unit.decision.test_policy import POINT

A, B, BETWEEN, OTHER = (1, 0, 0), (0, 1, 0), (0.6, 0.8, 0), (0, 0, 1)
RECOGNIZER = Recognizer(POINT, target_fpir=1e-2, target_fmr=1e-3, min_margin=0.3, min_quality=0.2)


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    """Ada, of two templates, and Bob, in the space of the operating point."""
    with Gallery.open(tmp_path / "gallery.db") as opened:
        for name, vectors in (("ada", [A, (0.8, 0, -0.6)]), ("bob", [B])):
            templates = [
                NewTemplate(np.array(v, np.float32), "space", 1.0, "by hand") for v in vectors
            ]
            opened.enrol(name, templates, profile_id=name)
        yield opened


def face(vector: tuple[float, ...], **quality: float) -> Faces:
    return faces_of_sides(100, embeddings=vector, **quality)


def test_each_face_is_decided_on_in_order(gallery: Gallery) -> None:
    faces = faces_of_sides(100, 90, 80, 70, embeddings=[A, OTHER, BETWEEN, B])
    decisions = RECOGNIZER.identify(faces, gallery, ["default"])
    assert [d.outcome for d in decisions] == [
        Outcome.IDENTIFIED,
        Outcome.UNKNOWN,
        Outcome.UNDECIDED,
        Outcome.IDENTIFIED,
    ]
    assert [d.profile_id for d in decisions] == ["ada", None, None, "bob"]
    assert decisions[2].reasons == (Reason.NARROW_MARGIN,)
    assert decisions[2].similarity == pytest.approx(0.8)
    assert decisions[2].margin == pytest.approx(0.2)
    # Two people of three templates.
    assert decisions[0].threshold == POINT.threshold_at_fpir(1e-2, 2, 3)


def test_a_flawed_face_is_undecided(gallery: Gallery) -> None:
    (decision,) = RECOGNIZER.identify(face(A, sharpness=0), gallery, ["default"])
    assert (decision.outcome, decision.reasons) == (Outcome.UNDECIDED, (Reason.BLURRED,))


def test_no_face_is_no_decision(gallery: Gallery) -> None:
    assert RECOGNIZER.identify(faces_of_sides(embeddings=[]), gallery, ["default"]) == ()


def test_faces_without_embeddings_are_refused(gallery: Gallery) -> None:
    with pytest.raises(ArrayError, match="embedded"):
        RECOGNIZER.identify(faces_of_sides(100), gallery, ["default"])
    with pytest.raises(ArrayError, match="embedded"):
        RECOGNIZER.verify_pictures(faces_of_sides(100), face(A))


def test_a_claim_is_compared_with_the_persons_best_template(gallery: Gallery) -> None:
    answers = {
        name: RECOGNIZER.verify_profile(face((0.8, 0, -0.6)), gallery, name)
        for name in ("ada", "bob")
    }
    assert answers["ada"].match
    assert answers["ada"].similarity == pytest.approx(1.0)
    assert answers["bob"].outcome is VerificationOutcome.NO_MATCH
    assert answers["bob"].similarity == pytest.approx(0.0)
    # Ada has two templates, each of which might be mistaken for the probe's.
    assert answers["ada"].threshold == POINT.threshold_at_fmr(1e-3, 2)
    assert answers["bob"].threshold == POINT.threshold_at_fmr(1e-3)


def test_a_suspended_person_matches_nothing(gallery: Gallery) -> None:
    gallery.set_state("ada", ProfileState.SUSPENDED)
    answer = RECOGNIZER.verify_profile(face(A), gallery, "ada")
    assert (answer.outcome, answer.similarity) == (VerificationOutcome.NO_MATCH, None)
    assert answer.reasons == (Reason.PROFILE_SUSPENDED,)
    (decision,) = RECOGNIZER.identify(face(A), gallery, ["default"])
    assert decision.outcome is Outcome.UNKNOWN


def test_claims_that_cannot_be_judged_are_errors(gallery: Gallery) -> None:
    with pytest.raises(ProfileNotFoundError):
        RECOGNIZER.verify_profile(face(A), gallery, "nobody")
    old = NewTemplate(np.array(A, np.float32), "older space", 1.0, "")
    gallery.enrol("Cy", [old], profile_id="cy")
    with pytest.raises(EmbeddingSpaceError, match="no template in the embedding space space"):
        RECOGNIZER.verify_profile(face(A), gallery, "cy")


def test_two_pictures_are_compared_and_all_that_is_wrong_is_told() -> None:
    assert RECOGNIZER.verify_pictures(face(A), face(A)).match
    assert not RECOGNIZER.verify_pictures(face(A), face(B)).match
    empty = faces_of_sides(embeddings=[])
    answer = RECOGNIZER.verify_pictures(face(A, sharpness=0), empty)
    assert answer.outcome is VerificationOutcome.UNDECIDED
    assert answer.reasons == (Reason.BLURRED, Reason.NO_FACE)
    assert answer.similarity is None
    pair = faces_of_sides(100, 100, embeddings=[A, B])
    assert RECOGNIZER.verify_pictures(pair, face(A)).reasons == (Reason.SEVERAL_FACES,)
    assert RECOGNIZER.verify_pictures(pair, face(A), largest=True).match


def test_who_is_recognised_is_noted_as_seen_and_nobody_else(gallery: Gallery) -> None:
    """Retention by days unseen depends on it."""
    RECOGNIZER.identify(faces_of_sides(100, 90, embeddings=[OTHER, BETWEEN]), gallery, ["default"])
    RECOGNIZER.verify_profile(face(OTHER), gallery, "bob")
    assert [profile.last_seen for profile in gallery.list()] == [None, None]
    RECOGNIZER.identify(face(A), gallery, ["default"])
    assert gallery.get("ada").last_seen is not None
    assert gallery.get("bob").last_seen is None
    RECOGNIZER.verify_profile(face(B), gallery, "bob")
    assert gallery.get("bob").last_seen is not None
