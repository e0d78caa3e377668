"""Reads requests where their failing can be answered."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from facerec.errors import RequestError
from facerec_identity.handler_wrapping import Context, Handler

__all__ = ["ParseInterceptor"]


class ParseInterceptor(grpc.aio.ServerInterceptor):
    """Parses the requests of calls; the innermost interceptor.

    So bytes that are no message are the caller's fault (INVALID_ARGUMENT; gRPC itself would call
    them INTERNAL), and nothing is parsed for a caller that was not let in.
    """

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Take the parsing over from gRPC."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return handler
        serializer = {"response_serializer": handler.response_serializer}
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(_answering(handler), **serializer)
        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(_streaming(handler), **serializer)
        if handler.stream_unary is not None:
            return grpc.stream_unary_rpc_method_handler(_gathering(handler), **serializer)
        return grpc.stream_stream_rpc_method_handler(_conversing(handler), **serializer)


def _answering(handler: Handler) -> Callable[[bytes, Context], Awaitable[Any]]:
    async def behaviour(data: bytes, context: Context) -> Any:
        return await handler.unary_unary(_parsed(handler, data), context)

    return behaviour


def _streaming(handler: Handler) -> Callable[[bytes, Context], AsyncIterator[Any]]:
    async def behaviour(data: bytes, context: Context) -> AsyncIterator[Any]:
        async for response in handler.unary_stream(_parsed(handler, data), context):
            yield response

    return behaviour


def _gathering(handler: Handler) -> Callable[[AsyncIterator[bytes], Context], Awaitable[Any]]:
    async def behaviour(stream: AsyncIterator[bytes], context: Context) -> Any:
        return await handler.stream_unary(_each_parsed(handler, stream), context)

    return behaviour


def _conversing(handler: Handler) -> Callable[[AsyncIterator[bytes], Context], AsyncIterator[Any]]:
    async def behaviour(stream: AsyncIterator[bytes], context: Context) -> AsyncIterator[Any]:
        async for response in handler.stream_stream(_each_parsed(handler, stream), context):
            yield response

    return behaviour


async def _each_parsed(handler: Handler, stream: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    async for data in stream:
        yield _parsed(handler, data)


def _parsed(handler: Handler, data: bytes) -> Any:
    try:
        return handler.request_deserializer(data)
    except DecodeError as error:
        raise RequestError("the request is not a valid message", field="") from error
