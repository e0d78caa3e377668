"""Gives every call an id, and writes one line of log about it when it ends."""

import logging
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict
from time import perf_counter
from typing import Any, Protocol

import grpc

from facerec_identity.call_record import CALL, CallRecord, CallTrace
from facerec_identity.handler_wrapping import Context, Handler, wrapped
from facerec_identity.metrics import Metrics
from facerec_identity.security.access_table import ACCESS, PUBLIC

__all__ = ["CallInterceptor", "Traces"]

_logger = logging.getLogger(__name__)

_REQUEST_ID = "x-request-id"
"""Metadata with the caller's id of a request; sent back behind the answer."""

_FIT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""Ids that are taken over: nothing that could forge a line of a log."""


class Traces(Protocol):
    """Makes the traces of calls."""

    def begin(
        self, call: CallRecord, name: str, metadata: Iterable[tuple[str, str | bytes]]
    ) -> CallTrace:
        """Begin the trace of a call of the method `name`."""
        ...


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Follows each call from its first byte to its status."""

    def __init__(self, metrics: Metrics, traces: Traces | None) -> None:
        """Tell the metrics of every call, and the operator's collector if there is one."""
        self._metrics = metrics
        self._traces = traces

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Wrap the handler of one call; questions about health are not worth a line."""
        method = handler_call_details.method
        handler = await continuation(handler_call_details)
        if handler is None or method in PUBLIC:
            return handler

        @asynccontextmanager
        async def following(context: Context) -> AsyncIterator[Callable[[Any], None]]:
            call = CallRecord(_request_id(context), method)
            context.set_trailing_metadata(((_REQUEST_ID, call.request_id),))
            CALL.set(call)
            if self._traces is not None:
                name = method.removeprefix("/") if method in ACCESS else "other"
                call.trace = self._traces.begin(call, name, context.invocation_metadata() or ())
            try:
                yield _see_nothing
            except BaseException as error:
                if call.status == "OK":
                    call.status = _status_of_abort(error)
                raise
            finally:
                duration_s = perf_counter() - call.begun_s
                self._metrics.count(call, duration_s)
                _log(call, duration_s)
                if call.trace is not None:
                    call.trace.end(call.status, grpc.StatusCode[call.status].value[0])

        return wrapped(handler, following)


def _request_id(context: Context) -> str:
    metadata = context.invocation_metadata() or ()
    given = next((str(value) for key, value in metadata if key == _REQUEST_ID), "")
    return given if _FIT_ID.fullmatch(given) else secrets.token_hex(8)


def _status_of_abort(error: BaseException) -> str:
    """Return the status of a call that ended otherwise than by an error of ours."""
    return "UNIMPLEMENTED" if isinstance(error, grpc.aio.AbortError) else "CANCELLED"


def _log(call: CallRecord, duration_s: float) -> None:
    """Write who asked what and how long it took; never what was asked or answered."""
    fields: dict[str, object] = {
        "request_id": call.request_id,
        "client": "" if call.caller is None else call.caller.name,
        "rpc": call.method.removeprefix("/"),
        "code": call.status,
        "duration_ms": round(duration_s * 1000, 2),
        "queue_ms": round(call.queue_s * 1000, 2),
    }
    # Copied at once: a thread may still be at work for a caller that has gone.
    for stage, spent_s in dict(call.stages_s).items():
        fields[f"{stage}_ms"] = round(spent_s * 1000, 2)
    if call.decision is not None:
        fields |= asdict(call.decision)
    _logger.info("call", extra={"fields": fields})


def _see_nothing(response: Any) -> None:
    del response
