"""Lets a call in, or not: the one place where callers are told apart."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

from facerec.errors import PermissionDeniedError, UnauthenticatedError
from facerec_identity.call_record import CALL
from facerec_identity.handler_wrapping import Context, Handler, wrapped
from facerec_identity.security.access_table import ACCESS, PUBLIC
from facerec_identity.security.authenticator import Authenticator
from facerec_identity.security.caller import Caller
from facerec_identity.security.rate_limit import RateLimit
from facerec_identity.security.score_withholding import withhold_scores

__all__ = ["AccessInterceptor"]


class AccessInterceptor(grpc.aio.ServerInterceptor):
    """Authenticates callers, holds them to the table and to their rate, withholds scores."""

    def __init__(self, authenticator: Authenticator, rate_limit: RateLimit) -> None:
        self._authenticator = authenticator
        self._rate_limit = rate_limit

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Wrap the handler of one call."""
        method = handler_call_details.method
        handler = await continuation(handler_call_details)
        if method in PUBLIC and handler is not None:
            return handler

        @asynccontextmanager
        async def guarding(context: Context) -> AsyncIterator[Callable[[Any], None]]:
            caller = self._let_in(context)
            if handler is not None and not caller.roles & ACCESS.get(method, frozenset()):
                raise PermissionDeniedError("the caller's roles do not allow this call")
            yield _see_all if caller.sees_scores else withhold_scores

        return wrapped(_unknown_method() if handler is None else handler, guarding)

    def _let_in(self, context: Context) -> Caller:
        connection = context.auth_context()
        metadata = context.invocation_metadata() or ()
        try:
            caller = self._authenticator.caller(connection, metadata)
        except UnauthenticatedError:
            self._rate_limit.admit(_STRANGERS)
            raise
        call = CALL.get()
        if call is not None:
            call.caller = caller
            call.recheck = lambda: self._authenticator.caller(connection, metadata)
        self._rate_limit.admit(caller.name)
        return caller


_STRANGERS = "strangers"
"""All calls without valid credentials share one rate."""


def _see_all(response: Any) -> None:
    del response


def _unknown_method() -> Handler:
    """Return a handler for what the server does not have, which only known callers may learn."""

    async def refuse(requests: Any, context: Context) -> AsyncIterator[bytes]:
        del requests
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "there is no such method")
        yield b""

    return grpc.stream_stream_rpc_method_handler(refuse)
