"""What is known of one call, gathered on its way through the server."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import Protocol

from facerec.analysis.stages import Stage
from facerec.errors import UnauthenticatedError
from facerec_identity.security.caller import Caller

__all__ = [
    "CALL",
    "CallRecord",
    "CallTrace",
    "GateDecision",
    "ServiceStage",
    "caller_of_call",
    "note_decision",
    "observe_stage",
    "recheck_caller",
]

_logger = logging.getLogger(__name__)

_QUEUE = "queue"


@dataclass(frozen=True)
class GateDecision:
    """What the log keeps of a gate's decision.

    Attributes:
        decision_id: Its id.
        gate: Name of the gate.
        outcome: ``granted``, ``denied``, ``unknown`` or ``retry``.
        profile_id: The person; "" when nobody was recognised.
    """

    decision_id: str
    gate: str
    outcome: str
    profile_id: str


class CallTrace(Protocol):
    """Is told of the stages of a call."""

    def stage(self, name: str, spent_s: float) -> None:
        """Take note of a stage that ends now."""
        ...

    def end(self, status: str, code: int) -> None:
        """Take note that the call is over, with the name and the number of its status."""
        ...


class ServiceStage(StrEnum):
    """What the service itself does for a call, beside the stages of analysis."""

    DECODE = "decode"
    JOURNAL = "journal"


@dataclass(eq=False)
class CallRecord:
    """One call.

    Attributes:
        request_id: The caller's id for it, or ours.
        method: Its path, such as ``/facerec.v1.VerificationService/Verify``.
        caller: Who makes it; None until that is known.
        begun_s: When its request was there, by `perf_counter`.
        status: Name of its status code.
        queue_s: Seconds that it waited for a thread.
        stages_s: Seconds that each stage of the work took.
        decision: What was decided for a gate; None for a call of another kind.
        recheck: Looks whether the caller would still be let in, for calls that last; raises
            UnauthenticatedError if not.
        trace: Where its stages are told; None unless the operator wants traces.
    """

    request_id: str
    method: str
    caller: Caller | None = None
    begun_s: float = field(default_factory=perf_counter)
    status: str = "OK"
    queue_s: float = 0.0
    stages_s: dict[str, float] = field(default_factory=dict)
    decision: GateDecision | None = None
    recheck: Callable[[], object] = lambda: None
    trace: CallTrace | None = None
    _told_s: dict[str, float] = field(default_factory=dict)

    def untold_s(self) -> dict[str, float]:
        """Return the seconds in the ``queue`` and of each stage since this was asked last.

        The metrics ask once at the end, and of a stream after each of its frames.
        """
        # Copied at once: a thread may still be at work for a caller that has gone.
        spent_s = {_QUEUE: self.queue_s, **self.stages_s}
        untold = {
            what: seconds - self._told_s.get(what, 0.0)
            for what, seconds in spent_s.items()
            if seconds != self._told_s.get(what)
        }
        self._told_s = spent_s
        return untold

    def waited(self, spent_s: float) -> None:
        """Add seconds that it waited for a thread until now."""
        self.queue_s += spent_s
        if self.trace is not None:
            self.trace.stage("admission", spent_s)

    @property
    def asks_once(self) -> bool:
        """Whether it is no stream of questions."""
        return not self.method.rsplit("/", 1)[-1].startswith("Stream")


CALL: ContextVar[CallRecord | None] = ContextVar("facerec_call", default=None)
"""The call that the present task, or the thread that works for it, is about."""


def caller_of_call() -> Caller:
    """Return who makes the present call.

    Raises:
        UnauthenticatedError: nobody was let in.
    """
    call = CALL.get()
    if call is None or call.caller is None:
        raise UnauthenticatedError("the call carries no credentials")
    return call.caller


def recheck_caller() -> None:
    """Look whether the caller of the present call, which lasts, would still be let in.

    Raises:
        UnauthenticatedError: its certificate or token ended, or was revoked.
    """
    call = CALL.get()
    if call is not None:
        call.recheck()


def note_decision(decision: GateDecision) -> None:
    """Note what was decided for a gate: in the record of a call that asks once, else in the log."""
    call = CALL.get()
    if call is not None and call.asks_once:
        call.decision = decision
    else:
        _logger.info("gate", extra={"fields": asdict(decision)})


@contextmanager
def observe_stage(stage: Stage | ServiceStage) -> Iterator[None]:
    """Add the time of a stage to the call that it is done for."""
    begun_s = perf_counter()
    try:
        yield
    finally:
        call = CALL.get()
        if call is not None:
            spent_s = perf_counter() - begun_s
            call.stages_s[stage.value] = call.stages_s.get(stage.value, 0.0) + spent_s
            if call.trace is not None:
                call.trace.stage(stage.value, spent_s)
