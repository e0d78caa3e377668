"""What an operator may choose about how people are searched for."""

from dataclasses import dataclass

from facerec.gallery.person_score import MAXIMUM, PersonScore

__all__ = ["EXACT", "IndexRules"]


@dataclass(frozen=True)
class IndexRules:
    """How an index searches.

    Attributes:
        score: How a person is scored by their templates.
        approximate_from: From so many templates on, in one gallery and space, only the most likely
            clusters of them are searched; None to search all however many they are.
        least_recall: The least share of probes for which such a search must find the person that a
            search of all finds, measured when the index is made, 0..1.
    """

    score: PersonScore = MAXIMUM
    approximate_from: int | None = None
    least_recall: float = 0.999


EXACT = IndexRules()
"""All templates are searched, however many they are."""
