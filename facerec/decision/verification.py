"""What was decided about a claim to be one person, and why."""

from dataclasses import dataclass
from enum import StrEnum

from facerec.decision.decision import Reason

__all__ = ["Verification", "VerificationOutcome"]


class VerificationOutcome(StrEnum):
    """The answer to "is this the same person?"."""

    MATCH = "match"
    """The same person, at the operating point's error rate."""
    NO_MATCH = "no_match"
    """Not the same person."""
    UNDECIDED = "undecided"
    """The evidence allows neither answer; look again."""


@dataclass(frozen=True)
class Verification:
    """The decision about one claim.

    Attributes:
        outcome: The answer.
        similarity: Cosine similarity, -1..1; None when there was no face to compare.
        threshold: Similarity from which the operating point matches.
        fmr: False match rate of that threshold.
        reasons: Why there is no match, most important first; empty for a match.
        operating_point: Name of the operating point that the threshold is from.
        embedding_space: Space that what was compared lies in.
    """

    outcome: VerificationOutcome
    similarity: float | None
    threshold: float
    fmr: float
    reasons: tuple[Reason, ...]
    operating_point: str = ""
    embedding_space: str = ""

    @property
    def match(self) -> bool:
        """Whether it is the same person."""
        return self.outcome is VerificationOutcome.MATCH
