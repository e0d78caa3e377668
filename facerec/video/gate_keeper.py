"""Answering for a gate whenever its camera's monitor has decided about somebody."""

from dataclasses import replace
from threading import Lock

from facerec.decision.gate_rules import GateRules
from facerec.decision.gate_turnstile import GateRequest, Turnstile
from facerec.errors import ProfileNotFoundError
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import ProfileState
from facerec.video.observation import TrackDecision

__all__ = ["GateKeeper"]


class GateKeeper:
    """One gate's turnstile; may be shared between the cameras that guard it, and their threads."""

    def __init__(self, name: str, rules: GateRules, gallery: Gallery) -> None:
        """Begin with no grants.

        Args:
            name: Of the gate.
            rules: What it asks.
            gallery: Where people are looked up as they are stored at the moment of the answer.
        """
        self.name = name
        self.rules = rules
        self._gallery = gallery
        self._turnstile = Turnstile(rules)
        self._lock = Lock()

    def answered(self, told: TrackDecision) -> TrackDecision:
        """Return a decision with the gate's answer to it."""
        # Tracks are numbered from 1 again when a camera is started anew, and the gate remembers.
        visit = f"{told.camera}#{told.track_id} since {told.first_seen.isoformat()}"
        request = GateRequest(
            visit=visit,
            decision=told.verdict.decision,
            frames=told.verdict.frames,
            admitted=self._admits(told.verdict.decision.profile_id),
            at=told.decided,
            looks=told.looks,
        )
        with self._lock:
            answer, self._turnstile = self._turnstile.answer(request)
        return replace(told, gate=self.name, gate_answer=answer)

    def _admits(self, profile_id: str | None) -> bool:
        if profile_id is None:
            return False
        try:
            profile = self._gallery.get(profile_id)
        except ProfileNotFoundError:
            return False  # erased since the search
        may_pass = set(profile.galleries) & set(self.rules.galleries)
        return profile.state is ProfileState.ACTIVE and bool(may_pass)
