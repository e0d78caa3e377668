"""Decisions as CloudEvents 1.0, the form in which they leave the process.

The one place where names of the event's JSON keys are written. Scripts rely on them.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from facerec.video.observation import TrackDecision
from facerec.video.sequential_test import SequentialEvidence

__all__ = ["EVENT_TYPE", "cloud_event"]

EVENT_TYPE = "facerec.track.decided.v1"


def cloud_event(told: TrackDecision) -> dict[str, Any]:
    """Return a decision as a CloudEvent in JSON form, with a new random id.

    Times are RFC 3339 in UTC, durations seconds, similarities -1..1. ``name`` and ``profile_id``
    are null unless the outcome is ``identified``; ``gate`` and its answer are null where the camera
    guards none.
    """
    decision, answer = told.verdict.decision, told.gate_answer
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": f"/facerec/cameras/{quote(told.camera, safe='')}",
        "type": EVENT_TYPE,
        "subject": f"tracks/{told.track_id}",
        "time": _rfc3339(told.decided),
        "datacontenttype": "application/json",
        "data": {
            "outcome": decision.outcome.value,
            "profile_id": decision.profile_id,
            "name": told.name,
            "camera": told.camera,
            "track_id": told.track_id,
            "first_seen": _rfc3339(told.first_seen),
            "decided": _rfc3339(told.decided),
            "latency_s": round(told.verdict.latency_s, 3),
            "frames": told.verdict.frames,
            "reasons": [reason.value for reason in decision.reasons],
            "similarity": _rounded(decision.similarity),
            "threshold": _rounded(decision.threshold),
            "margin": _rounded(decision.margin),
            "evidence": _evidence(told.verdict.evidence),
            "also_at": list(told.also_at),
            "gate": told.gate or None,
            "gate_outcome": None if answer is None else answer.outcome.value,
            "gate_reasons": [] if answer is None else [reason.value for reason in answer.reasons],
        },
    }


def _evidence(evidence: SequentialEvidence | None) -> dict[str, float] | None:
    """Natural logarithms of likelihood ratios, with the bounds that they are held against."""
    if evidence is None:
        return None
    bounds = {"value": evidence.value, "lower": evidence.lower, "upper": evidence.upper}
    return {name: round(value, 3) for name, value in bounds.items()}


def _rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)
