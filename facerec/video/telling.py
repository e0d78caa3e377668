"""What becomes of a decision: the gate's answer, the journal, the kept look, the receivers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from facerec.decision.auditing import identification_event
from facerec.gallery.audit.event import AuditEvent, AuditKind
from facerec.gallery.gallery import Gallery
from facerec.video.crop_store import CropStore
from facerec.video.event_sink import EventSink
from facerec.video.events import cloud_event
from facerec.video.gate_keeper import GateKeeper
from facerec.video.observation import TrackDecision

__all__ = ["Telling", "audit_event"]


class Telling:
    """Takes every camera's decisions; safe to use from several threads."""

    def __init__(
        self,
        gallery: Gallery,
        sinks: Sequence[EventSink],
        *,
        crops: CropStore | None,
        heard: Callable[[TrackDecision, Mapping[str, Any]], None],
    ) -> None:
        """Tell the journal of `gallery`, the sinks, and `heard`.

        Args:
            gallery: Whose audit journal records each decision.
            sinks: Where events go.
            crops: Where the best looks are kept; None to keep none.
            heard: Called with each decision and its event.
        """
        self._gallery = gallery
        self._sinks = tuple(sinks)
        self._crops = crops
        self._heard = heard

    def tell(self, decision: TrackDecision, keeper: GateKeeper | None = None) -> None:
        """Answer for the gate, if there is one, and let everybody know."""
        told = decision if keeper is None else keeper.answered(decision)
        event = cloud_event(told)
        self._gallery.record(audit_event(told, str(event["id"])))
        if self._crops is not None and told.crop_bgr is not None:
            self._crops.keep(told.crop_bgr, str(event["id"]))
        for sink in self._sinks:
            sink.put(event)
        self._heard(told, event)


def audit_event(told: TrackDecision, event_id: str) -> AuditEvent:
    """Return what the audit journal is told of a decision about a track.

    At a gate the outcome is the gate's, and its reasons come first. The note joins the entry with
    the event that was sent.
    """
    kind = AuditKind.AUTHORIZED if told.gate else AuditKind.WATCHED
    entry = identification_event(told.verdict.decision, kind=kind, place=told.gate or told.camera)
    entry = replace(entry, note=f"camera {told.camera} track {told.track_id} event {event_id}")
    if told.gate_answer is None:
        return entry
    reasons = tuple(reason.value for reason in told.gate_answer.reasons)
    return replace(
        entry, outcome=told.gate_answer.outcome.value, reasons=(*reasons, *entry.reasons)
    )
