"""Which faces of a picture stand at the gate. Pure."""

import numpy as np
from numpy.typing import NDArray

from facerec.decision.gate_answer import GateReason
from facerec.decision.gate_rules import GateRules

__all__ = ["standing_at"]


def standing_at(
    boxes_xyxy_px: NDArray[np.float32], frame_wh: tuple[int, int], rules: GateRules
) -> tuple[GateReason | None, ...]:
    """Say of each face why it does not count at the gate; None for one that does.

    A face is in the zone when its middle is. Its side is the geometric mean of width and height;
    the nearest face is the one of the longest side, the first of equals.

    Args:
        boxes_xyxy_px: float32 (n, 4), pixels.
        frame_wh: Width and height of the picture, pixels.
        rules: Of the gate.
    """
    boxes = boxes_xyxy_px.astype(np.float64)
    sides = np.sqrt(np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0), axis=1))
    inside = np.ones(len(boxes), np.bool_)
    if rules.zone is not None and len(boxes):
        inside = rules.zone.contains((boxes[:, :2] + boxes[:, 2:]) / 2 / np.array(frame_wh))
    large = sides >= rules.min_face_px
    counting = np.flatnonzero(inside & large)
    nearest = int(counting[np.argmax(sides[counting])]) if len(counting) else -1
    reasons: list[GateReason | None] = []
    for index in range(len(boxes)):
        if not inside[index]:
            reasons.append(GateReason.OUTSIDE_ZONE)
        elif not large[index]:
            reasons.append(GateReason.TOO_FAR)
        elif rules.nearest_only and index != nearest:
            reasons.append(GateReason.NOT_NEAREST)
        else:
            reasons.append(None)
    return tuple(reasons)
