"""Reads requests where their failing can be answered."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from time import perf_counter
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from facerec.errors import MessageTooLargeError, RequestError
from facerec_identity.call_record import CALL
from facerec_identity.handler_wrapping import Context, Handler

__all__ = ["ParseInterceptor"]

Parse = Callable[[bytes], Any]


class ParseInterceptor(grpc.aio.ServerInterceptor):
    """Reads and parses the requests of calls; the innermost interceptor.

    So bytes that are no message are the caller's fault (INVALID_ARGUMENT; gRPC itself would call
    them INTERNAL), and of a caller that was not let in nothing is parsed, nor even taken in: gRPC
    reads a single request before it asks any handler, and 30 strangers that sent 15 MB each took
    600 MB. To gRPC all calls are therefore streams of requests, which are read when wanted; on the
    wire there is no difference.
    """

    def __init__(self, max_bytes: int) -> None:
        """Refuse requests, and messages of a stream, of more than so many bytes."""
        self._max_bytes = max_bytes

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Take the parsing over from gRPC."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return handler
        parse = partial(self._parsed, handler.request_deserializer)
        serializer = {"response_serializer": handler.response_serializer}
        if handler.unary_unary is not None:
            return grpc.stream_unary_rpc_method_handler(_answering(handler, parse), **serializer)
        if handler.unary_stream is not None:
            return grpc.stream_stream_rpc_method_handler(_streaming(handler, parse), **serializer)
        if handler.stream_unary is not None:
            return grpc.stream_unary_rpc_method_handler(_gathering(handler, parse), **serializer)
        return grpc.stream_stream_rpc_method_handler(_conversing(handler, parse), **serializer)

    def _parsed(self, deserialize: Parse, data: bytes) -> Any:
        if len(data) > self._max_bytes:
            raise MessageTooLargeError(
                f"the message has {len(data):,} bytes and the server takes {self._max_bytes:,}; "
                "send a smaller picture",
                max_bytes=self._max_bytes,
            )
        try:
            return deserialize(data)
        except DecodeError as error:
            raise RequestError("the request is not a valid message", field="") from error


def _answering(handler: Handler, parse: Parse) -> Callable[[Any, Context], Awaitable[Any]]:
    async def behaviour(_: Any, context: Context) -> Any:
        return await handler.unary_unary(parse(await _only(context)), context)

    return behaviour


def _streaming(handler: Handler, parse: Parse) -> Callable[[Any, Context], AsyncIterator[Any]]:
    async def behaviour(_: Any, context: Context) -> AsyncIterator[Any]:
        async for response in handler.unary_stream(parse(await _only(context)), context):
            yield response

    return behaviour


def _gathering(handler: Handler, parse: Parse) -> Callable[[Any, Context], Awaitable[Any]]:
    async def behaviour(_: Any, context: Context) -> Any:
        return await handler.stream_unary(_each(parse, context), context)

    return behaviour


def _conversing(handler: Handler, parse: Parse) -> Callable[[Any, Context], AsyncIterator[Any]]:
    async def behaviour(_: Any, context: Context) -> AsyncIterator[Any]:
        async for response in handler.stream_stream(_each(parse, context), context):
            yield response

    return behaviour


# Not by the iterator that gRPC hands to a handler: that would keep the last request in a cycle of
# references until garbage is collected.


async def _only(context: Context) -> bytes:
    """Return the one request of a call that has no more; the call's time counts from then on.

    Raises:
        RequestError: there is none.
    """
    data = await context.read()
    if data is grpc.aio.EOF:
        raise RequestError("the call carries no request", field="")
    call = CALL.get()
    if call is not None:
        call.begun_s = perf_counter()
    return bytes(data)


async def _each(parse: Parse, context: Context) -> AsyncIterator[Any]:
    while (data := await context.read()) is not grpc.aio.EOF:
        yield parse(data)
