"""Reads requests where their failing can be answered."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from facerec.errors import RequestError
from facerec_identity.handler_wrapping import Context, Handler

__all__ = ["ParseInterceptor"]


class ParseInterceptor(grpc.aio.ServerInterceptor):
    """Parses the requests of unary calls; the innermost interceptor.

    So bytes that are no message are the caller's fault (INVALID_ARGUMENT; gRPC itself would call
    them INTERNAL), and nothing is parsed for a caller that was not let in.
    """

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Take the parsing over from gRPC; streams are left as they are."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler

        async def behaviour(data: bytes, context: Context) -> Any:
            try:
                request = handler.request_deserializer(data)
            except DecodeError as error:
                raise RequestError("the request is not a valid message", field="") from error
            return await handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            behaviour, response_serializer=handler.response_serializer
        )
