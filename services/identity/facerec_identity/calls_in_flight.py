"""Knows whether calls are being answered, for a drain that ends with the last of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

from facerec_identity.handler_wrapping import Context, Handler, wrapped

__all__ = ["CallsInFlight"]

_OURS = "/facerec."
"""Calls that a drain waits for; a stream of reflection would last as long as its client likes."""


class CallsInFlight(grpc.aio.ServerInterceptor):
    """Counts calls; the outermost interceptor, so that a status is sent before it counts."""

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
        if handler is None or not handler_call_details.method.startswith(_OURS):
            return handler

        @asynccontextmanager
        async def counting(_: Context) -> AsyncIterator[Callable[[Any], None]]:
            self._count += 1
            self._none.clear()
            try:
                yield lambda _response: None
            finally:
                self._count -= 1
                if self._count == 0:
                    self._none.set()

        return wrapped(handler, counting)
