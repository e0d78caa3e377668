"""How often a camera's frames must be searched for faces. Pure."""

from dataclasses import dataclass

__all__ = ["DetectionPace"]

_MAY_MOVE = 0.35
"""Part of its side by which a face may move between two searches; under half of what the tracker
pairs (0.8), as its prediction may be wrong by as much again."""


@dataclass(frozen=True)
class DetectionPace:
    """Longest times between two searches, seconds; 0 to search every frame.

    Attributes:
        idle_s: While nobody is there; adds to the time in which a newcomer is noticed.
        decided_s: While all who are there have been decided about.
        undecided_s: While a decision is open: just over a frame at 30 a second, so that every
            second one is searched; looks lie further apart than that anyway.
    """

    idle_s: float = 0.1
    decided_s: float = 0.15
    undecided_s: float = 0.035

    def interval_s(self, *, followed: int, undecided: int, fastest_sides_per_s: float) -> float:
        """Return the seconds until the next search.

        Args:
            followed: Faces that are followed now.
            undecided: Of these, those that are not decided about.
            fastest_sides_per_s: Speed of the fastest of them, in sides of its own box.
        """
        if not followed:
            return self.idle_s
        longest_s = self.undecided_s if undecided else self.decided_s
        return min(longest_s, _MAY_MOVE / max(fastest_sides_per_s, 1e-6))
