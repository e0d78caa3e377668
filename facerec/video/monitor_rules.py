"""What a monitor goes by."""

from dataclasses import dataclass

from facerec.decision.gate_rules import GateRules
from facerec.video.continuity import ContinuityRules
from facerec.video.detection_pace import DetectionPace
from facerec.video.evidence import EvidenceRules

__all__ = ["MonitorRules"]

_EVERY_FRAME = DetectionPace(idle_s=0.0, decided_s=0.0, undecided_s=0.0, small_s=0.0)


@dataclass(frozen=True)
class MonitorRules:
    """The rules of one camera.

    Attributes:
        evidence: When evidence is enough.
        min_quality: Faces of a lower overall quality are no evidence, 0..1.
        continuity: How tracks are checked for showing the same face; None for not at all.
        pace: How often frames are searched for faces.
        gate: What the gate asks that the camera guards: only who stands at it counts. None for a
            camera that guards none.
        keeps_crops: Whether decisions bring the best look at the face.
    """

    evidence: EvidenceRules
    min_quality: float
    continuity: ContinuityRules | None = None
    pace: DetectionPace = _EVERY_FRAME
    gate: GateRules | None = None
    keeps_crops: bool = False
