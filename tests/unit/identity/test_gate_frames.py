"""What a gate's stream makes of messages that come faster than it takes them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from facerec.errors import RequestError
from facerec_identity.face_reader import RequestImage
from facerec_identity.gate_stream import GateFrames, StreamFrame, Turn, converse
from facerec_identity.gatekeeping import Authorization

IMAGE = RequestImage(b"a picture", "frame.image")


async def told(frames: int, *, then_wrong: bool) -> list[Turn]:
    """Converse about so many frames, all of which came before the first was taken."""

    async def sent() -> AsyncIterator[tuple[RequestImage, float | None]]:
        for number in range(frames):
            yield IMAGE, float(number)
        if then_wrong:
            raise RequestError("must be a frame", field="content")

    async def look(_: StreamFrame) -> tuple[Authorization, ...]:
        return ()

    waiting = GateFrames()
    filling = asyncio.create_task(waiting.fill(sent()))
    await asyncio.wait((filling,))
    filling.exception()  # told to whoever converses
    return [turn async for turn in converse(waiting, look, waiting.take)]


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_what_is_no_frame_ends_a_stream_however_early_it_came(frames: int) -> None:
    """Not with a good end, as if all that was sent had been looked at."""
    with pytest.raises(RequestError, match="must be a frame"):
        asyncio.run(told(frames, then_wrong=True))


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_the_newest_frame_is_looked_at_and_the_others_are_counted(frames: int) -> None:
    (last,) = asyncio.run(told(frames, then_wrong=False))
    assert (last.analyzed, last.dropped) == (min(frames, 1), max(frames - 1, 0))
