"""One face, one grant: what a gate remembers, and its answer to a decision. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeVar

from facerec.decision.decision import Decision, Outcome
from facerec.decision.gate_answer import GateAnswer, GateOutcome, GateReason
from facerec.decision.gate_rules import GateRules

__all__ = ["GateRequest", "Turnstile"]

_Key = TypeVar("_Key", str, bytes)

_A_DAY = timedelta(days=1)
"""For how long a look that opened the gate does not open it again."""


@dataclass(frozen=True)
class GateRequest:
    """One visit's wish to pass.

    Attributes:
        visit: Tells this visit from others: a track's number, a call's id. One may ask often.
        decision: Who it is.
        frames: Frames that the decision rests on.
        admitted: Whether the person is active and in a gallery that may pass, as stored now.
        at: When, with its time zone.
        looks: Digests of the faces that were looked at for it, pixel by pixel (`look_digest`).
    """

    visit: str
    decision: Decision
    frames: int
    admitted: bool
    at: datetime
    looks: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Turnstile:
    """What a gate remembers of its grants; every answer returns a new value.

    Attributes:
        rules: Of the gate.
        people: Last grant of each person.
        visits: Grant of each visit.
        looks: Grant that each look was part of, where repeats are refused. All forget what is
            older than `rules.cool_down_s` and a day, so that they stay small.
    """

    rules: GateRules
    people: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))
    visits: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))
    looks: Mapping[bytes, datetime] = field(default_factory=lambda: MappingProxyType({}))

    def answer(self, request: GateRequest) -> "tuple[GateAnswer, Turnstile]":
        """Answer a request, and remember the grant if it is one."""
        found = request.decision
        if found.outcome is Outcome.UNKNOWN:
            return GateAnswer(GateOutcome.UNKNOWN), self
        if found.outcome is not Outcome.IDENTIFIED or found.profile_id is None:
            return GateAnswer(GateOutcome.RETRY), self
        if request.frames < self.rules.min_frames:
            return GateAnswer(GateOutcome.RETRY, (GateReason.TOO_FEW_SIGHTINGS,)), self
        reasons = self._objections(request, found.profile_id)
        if reasons:
            wait_s = 0.0
            if GateReason.COOLING_DOWN in reasons:
                wait_s = self._remaining_s(found.profile_id, request.at)
            return GateAnswer(GateOutcome.DENIED, reasons, wait_s), self
        return GateAnswer(GateOutcome.GRANTED), self._granting(request, found.profile_id)

    def _objections(self, request: GateRequest, profile_id: str) -> tuple[GateReason, ...]:
        objections = {
            GateReason.ATTACK_SUSPECTED: self._is_repeated(request),
            GateReason.NOT_ADMITTED: not request.admitted,
            GateReason.OUTSIDE_SCHEDULE: not self.rules.schedule.is_open(request.at),
            GateReason.ALREADY_GRANTED: request.visit in self.visits,
            GateReason.COOLING_DOWN: self._remaining_s(profile_id, request.at) > 0,
        }
        return tuple(reason for reason, holds in objections.items() if holds)

    def _is_repeated(self, request: GateRequest) -> bool:
        """Whether another visit was granted with a look of this one within a day."""
        if request.visit in self.visits:
            return False
        granted = (self.looks[look] for look in request.looks if look in self.looks)
        return any(request.at - at <= _A_DAY for at in granted)

    def _remaining_s(self, profile_id: str, at: datetime) -> float:
        if profile_id not in self.people:
            return 0.0
        return self.rules.cool_down_s - (at - self.people[profile_id]).total_seconds()

    def _granting(self, request: GateRequest, profile_id: str) -> "Turnstile":
        kept = _A_DAY + timedelta(seconds=self.rules.cool_down_s)

        def grown(grants: Mapping[_Key, datetime], *keys: _Key) -> Mapping[_Key, datetime]:
            young = {key: at for key, at in grants.items() if request.at - at <= kept}
            return MappingProxyType({**young, **dict.fromkeys(keys, request.at)})

        looks = request.looks if self.rules.refuse_repeats else ()
        return replace(
            self,
            people=grown(self.people, profile_id),
            visits=grown(self.visits, request.visit),
            looks=grown(self.looks, *looks),
        )
