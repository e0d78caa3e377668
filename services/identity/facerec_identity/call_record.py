"""What is known of one call, gathered on its way through the server."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter

from facerec.analysis.stages import Stage
from facerec_identity.security.caller import Caller

__all__ = ["CALL", "CallRecord", "observe_stage"]


@dataclass(eq=False)
class CallRecord:
    """One call.

    Attributes:
        request_id: The caller's id for it, or ours.
        method: Its path, such as ``/facerec.v1.VerificationService/Verify``.
        caller: Who makes it; None until that is known.
        status: Name of its status code.
        queue_s: Seconds that it waited for a thread.
        stages_s: Seconds that each stage of analysis took.
    """

    request_id: str
    method: str
    caller: Caller | None = None
    status: str = "OK"
    queue_s: float = 0.0
    stages_s: dict[Stage, float] = field(default_factory=dict)


CALL: ContextVar[CallRecord | None] = ContextVar("facerec_call", default=None)
"""The call that the present task, or the thread that works for it, is about."""


@contextmanager
def observe_stage(stage: Stage) -> Iterator[None]:
    """Add the time of a stage of analysis to the call that it is done for."""
    begun_s = perf_counter()
    try:
        yield
    finally:
        call = CALL.get()
        if call is not None:
            spent_s = perf_counter() - begun_s
            call.stages_s[stage] = call.stages_s.get(stage, 0.0) + spent_s
