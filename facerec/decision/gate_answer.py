"""What a gate is told, and why."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["GateAnswer", "GateOutcome", "GateReason"]


class GateOutcome(StrEnum):
    """Whether a gate opens."""

    GRANTED = "granted"
    """Open, once."""
    DENIED = "denied"
    """The person is known, and may not pass now."""
    UNKNOWN = "unknown"
    """Nobody whom the gate knows."""
    RETRY = "retry"
    """The evidence allows no answer; look again."""


class GateReason(StrEnum):
    """Why a gate does not open, beside the reasons of the decision; stable words for scripts."""

    OUTSIDE_ZONE = "outside_zone"
    """The face is in the picture, and does not stand at the gate."""
    TOO_FAR = "too_far"
    """The face is smaller than those that count at this gate."""
    NOT_NEAREST = "not_nearest"
    """Somebody else stands nearer to the camera."""
    TOO_FEW_SIGHTINGS = "too_few_sightings"
    """The person was seen in fewer frames than the gate asks for."""
    NOT_ADMITTED = "not_admitted"
    """The person is in no gallery that may pass here, or is suspended."""
    OUTSIDE_SCHEDULE = "outside_schedule"
    """The gate may not open at this time."""
    ALREADY_GRANTED = "already_granted"
    """This visit was granted before: one face, one grant."""
    COOLING_DOWN = "cooling_down"
    """The same person was granted a moment ago."""
    ATTACK_SUSPECTED = "attack_suspected"
    """The same pixels opened this gate before: a recording, or a camera that repeats a picture."""


@dataclass(frozen=True)
class GateAnswer:
    """The answer to a gate.

    Attributes:
        outcome: Whether it opens.
        reasons: Why not, most important first; empty when granted.
        wait_s: Seconds after which it is worth to ask again, when `COOLING_DOWN`; else 0.
    """

    outcome: GateOutcome
    reasons: tuple[GateReason, ...] = ()
    wait_s: float = 0.0
