"""What an operator may choose about how people are searched for."""

from dataclasses import dataclass

from facerec.gallery.index.person_score import MAXIMUM, PersonScore

__all__ = ["MAXIMA", "IndexRules"]


@dataclass(frozen=True)
class IndexRules:
    """How an index searches.

    Attributes:
        score: How a person is scored by their templates.
        approximate_from: From so many templates on only a part of them is read for a probe, which
            misses a few people; 0 for never.
    """

    score: PersonScore = MAXIMUM
    approximate_from: int = 0


MAXIMA = IndexRules()
"""A person's score is that of the template most like the probe."""
