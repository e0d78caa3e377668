"""Who asks, and as what."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Caller", "Role"]


class Role(StrEnum):
    """What a caller is there for; a caller may have several roles."""

    GATE = "gate"
    """Asks who stands before it; is never told how similar faces are."""
    ENROLLER = "enroller"
    """Enrols people."""
    AUDITOR = "auditor"
    """Reads who is enrolled."""
    ADMINISTRATOR = "administrator"
    """May do everything."""


_SEE_SCORES = frozenset(Role) - {Role.GATE}
"""Who may see scores: many of them about one person allow their template to be reconstructed
(G. Mai et al., On the reconstruction of face images from deep face templates, TPAMI 2019)."""


@dataclass(frozen=True)
class Caller:
    """An authenticated caller.

    Attributes:
        name: Who it is, by kind: ``certificate:NAME``, ``token:ID`` or ``local``.
        roles: What it is there for, at least one.
        gates: Names of the gates that it may speak for.
        every_gate: Whether it may speak for every gate.
    """

    name: str
    roles: frozenset[Role]
    gates: frozenset[str] = frozenset()
    every_gate: bool = False

    @property
    def sees_scores(self) -> bool:
        """Whether it may be told similarities and thresholds."""
        return bool(self.roles & _SEE_SCORES)

    def speaks_for(self, gate: str) -> bool:
        """Return whether it may ask in the name of a gate."""
        return self.every_gate or gate in self.gates
