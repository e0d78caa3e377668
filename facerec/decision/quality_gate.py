"""Which faces are fit for comparison, and for enrolment."""

from facerec.analysis.faces import Faces
from facerec.analysis.main_face import has_rival, largest_first
from facerec.analysis.quality import flaws
from facerec.decision.decision import Reason
from facerec.errors import ArrayError

__all__ = ["face_flaws", "the_one_face"]


def face_flaws(faces: Faces, index: int, *, min_quality: float) -> tuple[Reason, ...]:
    """Return why a face is unfit for comparison; empty for a fit one.

    Args:
        faces: Assessed faces of one image.
        index: Which of them.
        min_quality: Least overall quality, 0..1.

    Raises:
        ArrayError: the faces have not been assessed.
    """
    if faces.quality is None:
        raise ArrayError("faces must have been assessed before their flaws are asked for")
    found = tuple(Reason(flaw) for flaw in flaws(faces.quality, index))
    if not found and faces.quality.overall[index] < min_quality:
        return (Reason.LOW_QUALITY,)
    return found


def the_one_face(
    faces: Faces, *, min_quality: float, largest: bool = False
) -> tuple[int | None, tuple[Reason, ...]]:
    """Choose the face that a picture of one person is meant to show.

    Args:
        faces: Assessed faces of the picture.
        min_quality: Least overall quality, 0..1.
        largest: Take the largest face although others are nearly as large.

    Returns:
        Index of the largest face, None when there is none; and every reason against relying on it.
    """
    if not len(faces):
        return None, (Reason.NO_FACE,)
    index = int(largest_first(faces)[0])
    several = () if largest or not has_rival(faces) else (Reason.SEVERAL_FACES,)
    return index, several + face_flaws(faces, index, min_quality=min_quality)
