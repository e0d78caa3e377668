"""The client for code that blocks."""

from collections.abc import Iterable, Iterator, Sequence
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

__all__ = ["GateClient"]

R = TypeVar("R")


class GateClient:
    """A connection to a facerec server; keep one and share it between threads.

    Every method raises `facerec.client.CallError` when the call fails. That there is no face, or
    that nobody matches, is no failure but a result.

    Example::

        with GateClient("127.0.0.1:50051") as gate:
            result = gate.verify(picture, "p-k3x7w2mq5a")
            print(result.match, result.reasons)
    """

    def __init__(
        self,
        target: str,
        *,
        timeout_s: float = 5.0,
        tls: Tls | None = None,
        token: str | None = None,
    ) -> None:
        """Connect on the first call.

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
            grpc.insecure_channel(target, options=channel_options())
            if tls is None
            else grpc.secure_channel(target, tls.credentials(), options=channel_options())
        )
        self._methods = Methods(self._channel)

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def verify(self, probe: bytes, reference: str | bytes) -> VerifyResult:
        """Ask whether a picture shows a person (1:1).

        Args:
            probe: Encoded picture (JPEG, PNG, ...) of whoever stands at the gate.
            reference: Id of an enrolled person, or another encoded picture.
        """
        return self._ask(connection.verify(probe, reference))

    def identify(
        self, image: bytes, *, galleries: Sequence[str] = (), main_only: bool = False
    ) -> IdentifyResult:
        """Ask who the people in a picture are, if anybody who is enrolled (1:N).

        Args:
            image: Encoded picture.
            galleries: Names of the galleries to search; the server's default when there is none.
            main_only: Ask about the largest face only, as at a gate.
        """
        return self._ask(connection.identify(image, galleries, main_only))

    def authorize(self, gate: str, image: bytes) -> AuthorizeResult:
        """Ask whether a gate opens for whoever stands before it.

        Args:
            gate: Name of the gate; the client must be allowed to speak for it.
            image: Encoded picture.
        """
        return self._ask(connection.authorize(gate, image))

    def stream_authorize(
        self, gate: str, frames: Iterable[SentFrame]
    ) -> Iterator[AuthorizeResult | None]:
        """Ask for a gate's camera: yield what is decided until the frames end.

        Args:
            gate: Name of the gate.
            frames: Encoded pictures, each with the seconds since the first (None: when it is
                sent). They are taken in a thread of their own, as fast as they come; what they
                raise is raised here, once the server has answered those before.

        Yields:
            Each decision; None now and then while there is none.
        """
        sent = SentFrames(gate)
        yield from self._listen(connection.stream_authorize(sent.requests(frames)))
        sent.raise_failure()

    def watch_decisions(
        self, gates: Sequence[str] = (), *, resume_token: str = ""
    ) -> Iterator[WatchedDecision]:
        """Yield the answers to gates for ever; go on with `resume_token` after a `CallError`.

        Args:
            gates: Names; all that the caller may watch when there is none.
            resume_token: Of the last one that was received; "" to begin with now.
        """
        yield from self._listen(connection.watch_decisions(gates, resume_token))

    def enrol(
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
        """Enrol a person; once, also where the call has to be repeated because its answer was lost.

        Args:
            name: Display name.
            images: Encoded pictures of the person, 1 to 50.
            galleries: Names of galleries; the server's default when there is none.
            profile_id: Id to give; the server makes one when it is "".
            consent: Reference to the evidence of consent.
            source: Where the pictures came from, such as the desk's name.
            allow_same_person: Enrol although somebody enrolled looks the same, such as a twin.
        """
        question = connection.enrol(
            name,
            images,
            galleries=galleries,
            profile_id=profile_id,
            consent=consent,
            source=source,
            allow_same_person=allow_same_person,
        )
        return self._ask(question)

    def add_picture(self, profile_id: str, image: bytes, *, source: str = "") -> ImageResult:
        """Add one more picture of an enrolled person; one that was added before changes nothing.

        Args:
            profile_id: Who it shows.
            image: Encoded picture.
            source: Where it came from.
        """
        return self._ask(connection.add_picture(profile_id, image, source))

    def erase(self, profile_id: str) -> ErasureReceipt:
        """Erase a person for good; again, it returns the same receipt."""
        return self._ask(connection.erase(profile_id))

    def profile(self, profile_id: str) -> Profile:
        """Return one enrolled person."""
        return self._ask(connection.profile(profile_id))

    def profiles(self, gallery: str = "") -> Iterator[Profile]:
        """Yield the people of a gallery, or all, by id; asks for page after page."""
        token = ""
        while True:
            page = self._ask(connection.profile_page(gallery, token))
            yield from page.profiles
            token = page.next_token
            if not token:
                return

    def _ask(self, question: Question[R]) -> R:
        call = self._methods.of(question)
        with stated_call_failures(self._connection):
            response = call(
                question.request,
                timeout=self._connection.timeout_s,
                metadata=self._connection.metadata,
            )
        return question.result(response)

    def _listen(self, question: Question[R]) -> Iterator[R]:
        call = self._methods.of(question)(question.request, metadata=self._connection.metadata)
        try:
            with stated_call_failures(self._connection):
                yield from map(question.result, call)
        finally:
            call.cancel()
