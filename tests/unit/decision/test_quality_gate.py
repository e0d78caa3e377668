"""Which face is meant, and what speaks against it."""

import pytest

from facerec.analysis.faces import Faces
from facerec.decision.decision import Reason
from facerec.decision.quality_gate import face_flaws, the_one_face
from facerec.errors import ArrayError
from tests.unit.decision.faces import faces_of_sides


@pytest.mark.parametrize(
    ("faces", "largest", "index", "reasons", "why"),
    [
        (faces_of_sides(), False, None, ["no_face"], "nobody"),
        (faces_of_sides(), True, None, ["no_face"], "nobody is nobody's largest"),
        (faces_of_sides(100), False, 0, [], "one"),
        (faces_of_sides(20, 100), False, 1, [], "a bystander far behind is no rival"),
        (faces_of_sides(100, 90), False, 0, ["several_faces"], "who of the two?"),
        (faces_of_sides(90, 100), True, 1, [], "the largest, as was asked for"),
        (faces_of_sides(100, sharpness=0), False, 0, ["blurred"], "one, but blurred"),
        (
            faces_of_sides(100, 100, pose=0),
            False,
            0,
            ["several_faces", "turned_away"],
            "both are told",
        ),
        (faces_of_sides(100, overall=0.19), False, 0, ["low_quality"], "no flaw, but poor in all"),
        (faces_of_sides(100, overall=0.2), False, 0, [], "just good enough"),
        (
            faces_of_sides(100, overall=0.1, size=0),
            False,
            0,
            ["too_small"],
            "what is wrong is told rather than that something is",
        ),
    ],
)
def test_the_one_face(
    faces: Faces, largest: bool, index: int | None, reasons: list[str], why: str
) -> None:
    found = the_one_face(faces, min_quality=0.2, largest=largest)
    assert found == (index, tuple(Reason(reason) for reason in reasons)), why


def test_faces_that_were_not_assessed_are_refused() -> None:
    whole = faces_of_sides(100)
    bare = Faces(whole.boxes_xyxy_px, whole.detection_scores, whole.landmarks_px)
    with pytest.raises(ArrayError, match="assessed"):
        face_flaws(bare, 0, min_quality=0.2)


def test_every_flaw_has_a_reason_of_the_same_name() -> None:
    from facerec.analysis.quality import QualityFlaw

    assert {flaw.value for flaw in QualityFlaw} <= {reason.value for reason in Reason}
