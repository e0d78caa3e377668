"""Turns every exception of a call into a status, in one place for all calls."""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_status import rpc_status

from facerec.errors import FaceRecError, RequestError
from facerec_identity.error_status import status_of

__all__ = ["ErrorInterceptor"]

_logger = logging.getLogger(__name__)

Handler = Any
"""grpc.RpcMethodHandler: its type stubs know nothing of the asyncio kind."""


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """Answers unary calls that fail with a status from the table.

    It parses the request too, so that bytes that are no message are the caller's fault
    (INVALID_ARGUMENT); gRPC itself would call them INTERNAL.
    """

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Wrap the handler of one call; streams (health, reflection) are left as they are."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler

        async def behaviour(data: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            try:
                try:
                    request = handler.request_deserializer(data)
                except DecodeError as error:
                    raise RequestError("the request is not a valid message", field="") from error
                return await handler.unary_unary(request, context)
            except (asyncio.CancelledError, grpc.aio.AbortError):
                raise
            except Exception as error:
                if not isinstance(error, FaceRecError):
                    _log_unexpected(handler_call_details.method, error)
                await context.abort_with_status(rpc_status.to_status(status_of(error)))

        return grpc.unary_unary_rpc_method_handler(
            behaviour, response_serializer=handler.response_serializer
        )


def _log_unexpected(method: str, error: Exception) -> None:
    """Log where an exception came from, not what it says: that may hold a name or a picture."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
    _logger.error("%s failed with %s at %s", method, type(error).__qualname__, where)
