"""Knows whether calls are being answered, for a drain that ends with the last of them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

__all__ = ["CallsInFlight"]

Handler = Any
"""grpc.RpcMethodHandler: its type stubs know nothing of the asyncio kind."""


class CallsInFlight(grpc.aio.ServerInterceptor):
    """Counts unary calls; the outermost interceptor, so that a status is sent before it counts."""

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

    async def wait_until_none(self) -> None:
        """Return when no call is in flight."""
        await self._none.wait()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Count the call while its handler runs."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler

        async def counted(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            self._count += 1
            self._none.clear()
            try:
                return await handler.unary_unary(request, context)
            finally:
                self._count -= 1
                if self._count == 0:
                    self._none.set()

        return grpc.unary_unary_rpc_method_handler(
            counted,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
