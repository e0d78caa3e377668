"""From a picture of one person to a template, or the reasons why not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.decision.decision import Reason
from facerec.decision.quality_gate import the_one_face
from facerec.errors import ArrayError
from facerec.gallery.profile import NewTemplate

__all__ = ["AssessedPicture", "assess_picture"]


@dataclass(frozen=True, eq=False)
class AssessedPicture:
    """What came of one picture of a person.

    Attributes:
        template: The template of the face that was chosen; None when the picture is rejected.
        reasons: What speaks against the picture; may be there beside a template when it was forced.
    """

    template: NewTemplate | None
    reasons: tuple[Reason, ...]


def assess_picture(
    analyzer: FaceAnalyzer,
    image_bgr: NDArray[np.uint8],
    *,
    source: str,
    min_quality: float,
    content_sha256: str = "",
    largest: bool = False,
    force: bool = False,
) -> AssessedPicture:
    """Make a template of the one clear face that a picture shows.

    Args:
        analyzer: Finds and embeds the face.
        image_bgr: uint8 (height, width, 3).
        source: Kept with the template: where the picture came from.
        min_quality: Least overall quality, 0..1.
        content_sha256: Kept with the template: hash of the picture's file.
        largest: Take the largest face although others are nearly as large.
        force: Take the largest face whatever speaks against it.
    """
    faces = analyzer.detect(image_bgr)
    index, reasons = the_one_face(faces, min_quality=min_quality, largest=largest)
    if index is None or (reasons and not force):
        return AssessedPicture(None, reasons)
    face = analyzer.embed(image_bgr, faces[index : index + 1])
    if face.embeddings is None or face.quality is None:
        raise ArrayError("an analyzer must assess and embed the faces that it is handed")
    template = NewTemplate(
        embedding=face.embeddings[0],
        embedding_space=analyzer.embedding_space,
        quality=float(face.quality.overall[0]),
        source=source,
        content_sha256=content_sha256,
        accepted=tuple(reason.value for reason in reasons),
    )
    return AssessedPicture(template, reasons)
