"""What was decided about one face, and why."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Decision", "Outcome", "Reason"]


class Outcome(StrEnum):
    """The answer to "who is this?"."""

    IDENTIFIED = "identified"
    """One enrolled person, at the operating point's error rate."""
    UNKNOWN = "unknown"
    """Nobody in the searched gallery."""
    UNDECIDED = "undecided"
    """The evidence allows neither answer; look again."""


class Reason(StrEnum):
    """Why an outcome is not (or only just) an identification; stable words for scripts."""

    BELOW_THRESHOLD = "below_threshold"
    NARROW_MARGIN = "narrow_margin"
    EMPTY_GALLERY = "empty_gallery"
    LOW_QUALITY = "low_quality"
    TOO_SMALL = "too_small"
    BLURRED = "blurred"
    BADLY_LIT = "badly_lit"
    LOW_CONTRAST = "low_contrast"
    TURNED_AWAY = "turned_away"
    CLIPPED = "clipped"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_FEW_FRAMES = "too_few_frames"
    PROFILE_SUSPENDED = "profile_suspended"


@dataclass(frozen=True)
class Decision:
    """The decision about one face.

    Attributes:
        outcome: The answer.
        profile_id: The person, when identified.
        similarity: Highest cosine similarity to anybody searched, -1..1; None when nobody was.
        threshold: Similarity from which the operating point identifies, at this gallery's size.
        margin: Lead over the second-best person; None with fewer than two people.
        reasons: Why not identified, most important first; empty when identified.
        operating_point: Name of the operating point that the threshold is from.
        embedding_space: Space that the probe and the templates lie in.
        revision: Of the gallery that was searched.
    """

    outcome: Outcome
    profile_id: str | None
    similarity: float | None
    threshold: float
    margin: float | None
    reasons: tuple[Reason, ...]
    operating_point: str = ""
    embedding_space: str = ""
    revision: int = 0
