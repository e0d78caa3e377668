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
    """Return a handler that does the same within `around`.

    Args:
        handler: As `ParseInterceptor` leaves it: to gRPC every call is a stream of requests.
        around: What is put around it.
    """
    serde = {
        "request_deserializer": handler.request_deserializer,
        "response_serializer": handler.response_serializer,
    }
    if handler.response_streaming:

        async def stream(requests: Any, context: Context) -> AsyncIterator[Any]:
            async with around(context) as see:
                async for response in handler.stream_stream(requests, context):
                    see(response)
                    yield response

        return grpc.stream_stream_rpc_method_handler(stream, **serde)

    async def single(requests: Any, context: Context) -> Any:
        async with around(context) as see:
            response = await handler.stream_unary(requests, context)
            see(response)
            return response

    return grpc.stream_unary_rpc_method_handler(single, **serde)
