"""Turns every exception of a call into a status, in one place for all calls."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

from facerec.errors import FaceRecError
from facerec_identity.call_record import CALL
from facerec_identity.error_status import status_of
from facerec_identity.handler_wrapping import Context, Handler, wrapped

__all__ = ["ErrorInterceptor"]

_logger = logging.getLogger(__name__)

_DETAILS_KEY = "grpc-status-details-bin"
"""Trailing metadata that carries a google.rpc.Status."""

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """Answers calls that fail with a status from the table."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Wrap the handler of one call."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return handler

        @asynccontextmanager
        async def stating(context: Context) -> AsyncIterator[Callable[[Any], None]]:
            try:
                yield _see_nothing
            except (asyncio.CancelledError, grpc.aio.AbortError):
                raise
            except Exception as error:
                if not isinstance(error, FaceRecError):
                    _log_unexpected(handler_call_details.method, error)
                await _end(context, error)

        return wrapped(handler, stating)


async def _end(context: Context, error: Exception) -> None:
    """End a call with the status of an error, and what was to be sent behind it all the same.

    gRPC keeps the exception that it ends a call by, whose frames keep all of the call, which keeps
    the exception: a request of megabytes would stay until garbage is collected. So it is not let
    out from here; gRPC raises it once more when the handler returns.
    """
    status = status_of(error)
    code = _CODES[status.code]
    call = CALL.get()
    if call is not None:
        call.status = code.name
    behind = (*context.trailing_metadata(), (_DETAILS_KEY, status.SerializeToString()))
    try:
        await context.abort(code, status.message, behind)
    except grpc.aio.AbortError as ending:
        ending.__traceback__ = ending.__context__ = None


def _see_nothing(response: Any) -> None:
    del response


def _log_unexpected(method: str, error: Exception) -> None:
    """Log where an exception came from, not what it says: that may hold a name or a picture."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
    _logger.error("%s failed with %s at %s", method, type(error).__qualname__, where)
