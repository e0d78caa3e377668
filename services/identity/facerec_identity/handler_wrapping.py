"""Puts something around the handler of a call, whatever kind of call it is."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import grpc

__all__ = ["Around", "Context", "Handler", "wrapped"]

Handler = Any
"""grpc.RpcMethodHandler: its type stubs know nothing of the asyncio kind."""

Context = grpc.aio.ServicerContext[Any, Any]

Around = Callable[[Context], AbstractAsyncContextManager[Callable[[Any], None]]]
"""Entered before a call is answered and left after; gives what is told every answer."""


def wrapped(handler: Handler, around: Around) -> Handler:
    """Return a handler that does the same within `around`."""
    serde = {
        "request_deserializer": handler.request_deserializer,
        "response_serializer": handler.response_serializer,
    }
    if handler.response_streaming:
        inner = handler.stream_stream or handler.unary_stream

        async def stream(request: Any, context: Context) -> AsyncIterator[Any]:
            async with around(context) as see:
                async for response in inner(request, context):
                    see(response)
                    yield response

        if handler.request_streaming:
            return grpc.stream_stream_rpc_method_handler(stream, **serde)
        return grpc.unary_stream_rpc_method_handler(stream, **serde)
    single = handler.stream_unary or handler.unary_unary

    async def unary(request: Any, context: Context) -> Any:
        async with around(context) as see:
            response = await single(request, context)
            see(response)
            return response

    if handler.request_streaming:
        return grpc.stream_unary_rpc_method_handler(unary, **serde)
    return grpc.unary_unary_rpc_method_handler(unary, **serde)
