"""New templates on their way to the people whom they are of."""

from collections.abc import Sequence
from dataclasses import dataclass

from facerec.gallery.encryption.sealed_records import Owner
from facerec.gallery.profile import NewTemplate

__all__ = ["Belonging"]


@dataclass(frozen=True, eq=False)
class Belonging:
    """New templates, and whose they are to be.

    Attributes:
        number: Of the person.
        owner: Seals what is theirs.
        templates: Theirs.
    """

    number: int
    owner: Owner
    templates: Sequence[NewTemplate]
