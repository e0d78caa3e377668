"""``grpc.health.v1``: whether the server takes calls.

The servicer of grpcio-health-checking lacks List, and its Watch never ends, so that a server with a
watcher cannot stop without breaking a stream.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse, HealthListResponse

__all__ = ["HealthService"]

Context = grpc.aio.ServicerContext[Any, Any]


class HealthService:
    """One status for all services of the server, and for the server itself (the empty name)."""

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset(("", *services))
        self._status = HealthCheckResponse.NOT_SERVING
        self._stopping = False
        self._changed = asyncio.Event()

    def set_serving(self) -> None:
        """Tell everybody that calls are taken."""
        if not self._stopping:
            self._tell(HealthCheckResponse.SERVING)

    def stop(self) -> None:
        """Tell everybody that calls are not taken any more, and end the streams of watchers."""
        self._stopping = True
        self._tell(HealthCheckResponse.NOT_SERVING)

    async def Check(self, request: HealthCheckRequest, context: Context) -> HealthCheckResponse:
        """Return the status of a service now."""
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no service of that name")
        return HealthCheckResponse(status=self._status)

    async def List(self, request: Any, context: Context) -> HealthListResponse:
        """Return the status of every service now."""
        now = HealthCheckResponse(status=self._status)
        return HealthListResponse(statuses=dict.fromkeys(self._services, now))

    async def Watch(
        self, request: HealthCheckRequest, context: Context
    ) -> AsyncIterator[HealthCheckResponse]:
        """Yield the status of a service now and whenever it changes, until the server stops."""
        told = None
        while True:
            changed = self._changed
            status = HealthCheckResponse.SERVICE_UNKNOWN
            if request.service in self._services:
                status = self._status
            if status != told:
                told = status
                yield HealthCheckResponse(status=status)
            elif self._stopping:
                return
            else:
                await changed.wait()

    def _tell(self, status: Any) -> None:
        self._status = status
        self._changed.set()
        self._changed = asyncio.Event()
