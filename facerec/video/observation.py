"""What a monitor says: decisions about tracks, and what each frame showed."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from facerec.decision.decision import Reason
from facerec.decision.gate_answer import GateAnswer, GateReason
from facerec.video.evidence import TrackEvidence, Verdict
from facerec.video.frame import Frame

__all__ = ["Observation", "TrackDecision", "TrackView"]


@dataclass(frozen=True)
class TrackDecision:
    """A verdict about one track, ready to be told.

    Attributes:
        camera: Name of the camera.
        track_id: Number of the track, unique within a camera's run.
        verdict: What was decided.
        name: Display name of the person; None for a stranger and while undecided.
        first_seen: When the track's first frame was taken, UTC.
        decided: When the deciding frame was taken, UTC.
        also_at: Other places (``camera#track``) where the same person is seen at this moment.
        box_xyxy_px: Where the face was last, pixels: left, top, right, bottom.
        gate: Name of the gate that the camera guards; "" for none.
        gate_answer: Whether that gate opens; None without a gate.
        crop_bgr: uint8 (height, width, 3), the best look at the face; None unless crops are kept.
        looks: Digests of the last looks before the verdict, at most those of one attempt; empty
            unless the gate asks for them.
    """

    camera: str
    track_id: int
    verdict: Verdict
    name: str | None
    first_seen: datetime
    decided: datetime
    also_at: tuple[str, ...] = ()
    box_xyxy_px: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    gate: str = ""
    gate_answer: GateAnswer | None = None
    crop_bgr: NDArray[np.uint8] | None = field(default=None, compare=False)
    looks: tuple[bytes, ...] = ()


@dataclass(frozen=True, eq=False)
class TrackView:
    """One face in one frame, as an annotation shows it.

    Attributes:
        track_id: Number of the track.
        box_xyxy_px: float32 (4,).
        quality: Overall quality of the face in this frame, 0..1.
        flaws: Why this face was not fit for comparison; empty when it was.
        evidence: The track's evidence after this frame.
        name: Display name of the person, once identified; None while that is in doubt.
        aside: Why the face does not count at the camera's gate; None for one that does.
        in_doubt: Whether the track may show somebody else by now, until the next look says.
    """

    track_id: int
    box_xyxy_px: NDArray[np.float32]
    quality: float
    flaws: tuple[Reason, ...]
    evidence: TrackEvidence
    name: str | None
    aside: GateReason | None = None
    in_doubt: bool = False


@dataclass(frozen=True, eq=False)
class Observation:
    """What one frame showed and what was decided at it.

    Attributes:
        frame: The frame.
        tracks: One entry a face in it; those of the frame before where it was not searched.
        decisions: Tracks decided at this frame, tracks that ended undecided among them (but for
            those seen in fewer frames than a decision takes).
        searched: Whether this frame was searched for faces.
    """

    frame: Frame
    tracks: tuple[TrackView, ...]
    decisions: tuple[TrackDecision, ...]
    searched: bool = True
