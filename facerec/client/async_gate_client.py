"""The client for asyncio."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from types import TracebackType
from typing import Self, TypeVar

import grpc

from facerec.client import connection
from facerec.client.call_failures import stated_call_failures
from facerec.client.channel_options import channel_options
from facerec.client.connection import Connection, Methods, Question
from facerec.client.credentials import Tls
from facerec.client.results import (
    AuthorizeResult,
    EnrolResult,
    ErasureReceipt,
    IdentifyResult,
    ImageResult,
    Profile,
    VerifyResult,
    WatchedDecision,
)
from facerec.client.sent_frames import SentFrame, SentFrames

__all__ = ["AsyncGateClient"]

R = TypeVar("R")


class AsyncGateClient:
    """`facerec.client.GateClient` for asyncio: the same methods, awaited."""

    def __init__(
        self,
        target: str,
        *,
        timeout_s: float = 5.0,
        tls: Tls | None = None,
        token: str | None = None,
    ) -> None:
        """Connect on the first call; make it where an event loop runs.

        Args:
            target: ``HOST:PORT`` of the server.
            timeout_s: Deadline of each call, repetitions included; streams have none.
            tls: Whom to trust, and the client's certificate; None for a server without TLS.
            token: API token, for a client that has no certificate.

        Raises:
            ServiceError: the token would travel in clear beyond this machine.
        """
        self._connection = Connection.to(target, timeout_s=timeout_s, tls=tls, token=token)
        self._channel = (
            grpc.aio.insecure_channel(target, options=channel_options())
            if tls is None
            else grpc.aio.secure_channel(target, tls.credentials(), options=channel_options())
        )
        self._methods = Methods(self._channel)

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def verify(self, probe: bytes, reference: str | bytes) -> VerifyResult:
        """Ask whether a picture shows a person (1:1); see `GateClient.verify`."""
        return await self._ask(connection.verify(probe, reference))

    async def identify(
        self, image: bytes, *, galleries: Sequence[str] = (), main_only: bool = False
    ) -> IdentifyResult:
        """Ask who the people in a picture are (1:N); see `GateClient.identify`."""
        return await self._ask(connection.identify(image, galleries, main_only))

    async def authorize(self, gate: str, image: bytes) -> AuthorizeResult:
        """Ask whether a gate opens for whoever stands before it; see `GateClient.authorize`."""
        return await self._ask(connection.authorize(gate, image))

    async def stream_authorize(
        self, gate: str, frames: Iterable[SentFrame] | AsyncIterable[SentFrame]
    ) -> AsyncIterator[AuthorizeResult | None]:
        """Ask for a gate's camera; see `GateClient.stream_authorize`.

        Args:
            gate: Name of the gate.
            frames: As there, or to be awaited: an asynchronous generator.
        """
        sent = SentFrames(gate)
        question = connection.stream_authorize(sent.requests_async(frames))
        async for answer in self._listen(question):
            yield answer
        sent.raise_failure()

    async def watch_decisions(
        self, gates: Sequence[str] = (), *, resume_token: str = ""
    ) -> AsyncIterator[WatchedDecision]:
        """Yield the answers to gates for ever; see `GateClient.watch_decisions`."""
        async for told in self._listen(connection.watch_decisions(gates, resume_token)):
            yield told

    async def enrol(
        self,
        name: str,
        images: Sequence[bytes],
        *,
        galleries: Sequence[str] = (),
        profile_id: str = "",
        consent: str = "",
        source: str = "",
        allow_same_person: bool = False,
    ) -> EnrolResult:
        """Enrol a person; see `GateClient.enrol`."""
        question = connection.enrol(
            name,
            images,
            galleries=galleries,
            profile_id=profile_id,
            consent=consent,
            source=source,
            allow_same_person=allow_same_person,
        )
        return await self._ask(question)

    async def add_picture(self, profile_id: str, image: bytes, *, source: str = "") -> ImageResult:
        """Add one more picture of an enrolled person; see `GateClient.add_picture`."""
        return await self._ask(connection.add_picture(profile_id, image, source))

    async def erase(self, profile_id: str) -> ErasureReceipt:
        """Erase a person for good; see `GateClient.erase`."""
        return await self._ask(connection.erase(profile_id))

    async def profile(self, profile_id: str) -> Profile:
        """Return one enrolled person."""
        return await self._ask(connection.profile(profile_id))

    async def profiles(self, gallery: str = "") -> AsyncIterator[Profile]:
        """Yield the people of a gallery, or all, by id; asks for page after page."""
        token = ""
        while True:
            page = await self._ask(connection.profile_page(gallery, token))
            for found in page.profiles:
                yield found
            token = page.next_token
            if not token:
                return

    async def _ask(self, question: Question[R]) -> R:
        call = self._methods.of(question)
        with stated_call_failures(self._connection):
            response = await call(
                question.request,
                timeout=self._connection.timeout_s,
                metadata=self._connection.metadata,
            )
        return question.result(response)

    async def _listen(self, question: Question[R]) -> AsyncIterator[R]:
        call = self._methods.of(question)(question.request, metadata=self._connection.metadata)
        try:
            with stated_call_failures(self._connection):
                async for response in call:
                    yield question.result(response)
        finally:
            call.cancel()
