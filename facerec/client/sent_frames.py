"""What a gate's camera sends, and how it failed if it did.

gRPC hides why there are no more requests to send: a blocking call ends with "Exception iterating
requests!", one of asyncio with the CancelledError of a task that nobody cancelled. So frames that
fail end as frames that are over do, and their failure is raised when the server has answered.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

from facerec.client import messages
from facerec.v1 import verification_service_pb2 as verification

__all__ = ["SentFrame", "SentFrames"]

SentFrame = tuple[bytes, float | None]
"""An encoded picture, and the seconds since the first; None: when it is sent."""


class SentFrames:
    """The frames of one stream."""

    def __init__(self, gate: str) -> None:
        """Speak for a gate by its name."""
        self._config = messages.stream_config_to_proto(gate)
        self._failure: Exception | None = None

    def requests(
        self, frames: Iterable[SentFrame]
    ) -> Iterator[verification.StreamAuthorizeRequest]:
        """Yield what is sent, to a thread that may wait for the camera."""
        yield self._config
        try:
            for data, clock_s in frames:
                yield messages.stream_frame_to_proto(data, clock_s)
        except Exception as error:
            self._failure = error

    async def requests_async(
        self, frames: Iterable[SentFrame] | AsyncIterable[SentFrame]
    ) -> AsyncIterator[verification.StreamAuthorizeRequest]:
        """Yield what is sent, to a loop that may not wait for the camera."""
        yield self._config
        try:
            async for data, clock_s in _without_blocking(frames):
                yield messages.stream_frame_to_proto(data, clock_s)
        except Exception as error:
            self._failure = error

    def raise_failure(self) -> None:
        """Raise what the frames failed with, if they did."""
        if self._failure is not None:
            raise self._failure


async def _without_blocking(
    frames: Iterable[SentFrame] | AsyncIterable[SentFrame],
) -> AsyncIterator[SentFrame]:
    """Yield frames; those that are not for asyncio are waited for in a thread."""
    if isinstance(frames, AsyncIterable):
        async for frame in frames:
            yield frame
        return
    one_by_one = iter(frames)
    while (taken := await asyncio.to_thread(next, one_by_one, None)) is not None:
        yield taken
