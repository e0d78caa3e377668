"""What an operator may choose about how people are searched for."""

from dataclasses import dataclass

from facerec.gallery.person_score import MAXIMUM, PersonScore

__all__ = ["MAXIMA", "IndexRules"]


@dataclass(frozen=True)
class IndexRules:
    """How an index searches.

    Attributes:
        score: How a person is scored by their templates.
    """

    score: PersonScore = MAXIMUM


MAXIMA = IndexRules()
"""A person's score is that of the template most like the probe."""
