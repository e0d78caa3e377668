"""What a gate asks of those who want to pass."""

from dataclasses import dataclass

from facerec.decision.gate_schedule import ALWAYS, Schedule
from facerec.decision.gate_zone import Zone

__all__ = ["GateRules"]


@dataclass(frozen=True)
class GateRules:
    """The rules of one gate.

    Attributes:
        galleries: Galleries whose people may pass.
        known_galleries: Further ones that are searched: their people are known here, and denied.
        zone: Where one stands at the gate; None for anywhere in the picture.
        min_face_px: Side of the smallest face that counts, pixels: who is far away is not here.
        nearest_only: Whether only the largest face that stands at the gate counts.
        min_frames: Frames at least that must show a person before the gate opens.
        cool_down_s: Seconds after a grant in which the same person is not granted again.
        refuse_repeats: Whether a look that opened the gate does not open it again, pixel by pixel
            the same: no sensor sees a face so twice; what shows it is a recording, or a camera that
            stands still or repeats its pictures.
        schedule: When it may open.
    """

    galleries: tuple[str, ...]
    known_galleries: tuple[str, ...] = ()
    zone: Zone | None = None
    min_face_px: float = 0.0
    nearest_only: bool = True
    min_frames: int = 1
    cool_down_s: float = 0.0
    refuse_repeats: bool = False
    schedule: Schedule = ALWAYS

    @property
    def searched(self) -> tuple[str, ...]:
        """All galleries that are searched, each once."""
        return tuple(dict.fromkeys((*self.galleries, *self.known_galleries)))
