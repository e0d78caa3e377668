"""Answers for the camera of a gate: one decision a visit, over several frames."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from facerec.analysis.faces import Faces
from facerec.decision.gate_answer import GateOutcome
from facerec.errors import OverloadedError, RequestError
from facerec.gallery.gallery import Gallery
from facerec.video.frame import Frame
from facerec.video.gate_keeper import GateKeeper
from facerec.video.monitor import Monitor
from facerec.video.observation import TrackDecision
from facerec_identity.face_reader import FaceReader, RequestImage
from facerec_identity.gatekeeping import Authorization, answer_of, person_of
from facerec_identity.worker_pool import CallGuard

__all__ = ["GateFrames", "GateStream", "StreamFrame", "Turn", "converse"]

_PING_S = 5.0


@dataclass(frozen=True, eq=False)
class Turn:
    """What a gate's camera is told.

    Attributes:
        answer: A decision; None when there is none, and the stream is alive.
        analyzed: Frames that were analysed so far.
        dropped: Frames that were dropped so far.
    """

    answer: Authorization | None
    analyzed: int
    dropped: int


@dataclass(frozen=True)
class StreamFrame:
    """A frame as it came.

    Attributes:
        image: The picture.
        clock_s: When it was taken, seconds on the camera's clock.
        captured: When it arrived, UTC.
    """

    image: RequestImage
    clock_s: float
    captured: datetime


class GateFrames:
    """Holds the newest frame of a stream only: who waits for it is never behind."""

    def __init__(self) -> None:
        self.dropped = 0
        self._newest: StreamFrame | None = None
        self._last_s = float("-inf")
        self._ended = False
        self._failure: BaseException | None = None
        self._changed = asyncio.Event()
        self._begun_s = monotonic()

    async def fill(self, frames: AsyncIterator[tuple[RequestImage, float | None]]) -> None:
        """Take in pictures and their times (None: now) until there are no more."""
        try:
            async for image, clock_s in frames:
                at_s = monotonic() - self._begun_s if clock_s is None else clock_s
                if at_s < self._last_s:
                    self.dropped += 1
                    continue
                self.dropped += self._newest is not None
                self._last_s = at_s
                self._newest = StreamFrame(image, at_s, datetime.now(UTC))
                self._changed.set()
        except BaseException as error:
            self._failure = error
            raise
        finally:
            self._ended = True
            self._changed.set()

    @property
    def ended(self) -> bool:
        """Whether no further frame comes, nor word of what was sent in place of one."""
        untold = isinstance(self._failure, RequestError)
        return self._ended and self._newest is None and not untold

    async def take(self, within_s: float) -> StreamFrame | None:
        """Return the newest frame; None when none came in time, or none comes any more.

        Raises:
            RequestError: what was sent was no frame.
        """
        if self._newest is None and not self._ended:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), within_s)
            except TimeoutError:
                return None
        frame, self._newest = self._newest, None
        if frame is None and isinstance(self._failure, RequestError):
            raise self._failure
        return frame


class GateStream:
    """One camera of a gate; used by one thread at a time."""

    def __init__(
        self,
        reader: FaceReader,
        monitor: Monitor,
        keeper: GateKeeper,
        gallery: Gallery,
        *,
        target_fpir: float,
        new_id: Callable[[], str],
    ) -> None:
        """Begin with nobody in sight.

        Args:
            reader: Decodes pictures.
            monitor: Follows people over the frames of this stream.
            keeper: Of the gate.
            gallery: Who is enrolled.
            target_fpir: Rate that is decided at.
            new_id: Makes the ids of decisions.
        """
        self._reader = reader
        self._monitor = monitor
        self._keeper = keeper
        self._gallery = gallery
        self._target_fpir = target_fpir
        self._new_id = new_id
        self._index = 0

    def look(self, frame: StreamFrame, guard: CallGuard) -> tuple[Authorization, ...]:
        """Take in a frame; return what is decided now, most often nothing.

        Raises:
            RequestImageError: the bytes are not a picture that can be taken.
        """
        pixels = self._reader.decode(frame.image)
        guard.check()
        seen = Frame(pixels, frame.captured, self._index, frame.clock_s)
        self._index += 1
        return tuple(map(self._answer, self._monitor.observe(seen).decisions))

    def _answer(self, told: TrackDecision) -> Authorization:
        answer, decision = answer_of(self._keeper, told), told.verdict.decision
        return Authorization(
            self._new_id(),
            self._keeper.name,
            answer.outcome,
            () if answer.outcome is GateOutcome.GRANTED else answer.reasons or decision.reasons,
            wait_s=answer.wait_s,
            profile=person_of(answer, decision, self._gallery),
            operating_point=decision.operating_point,
            target_fpir=self._target_fpir,
            faces=Faces.empty(),
            decision=decision,
        )


async def converse(
    frames: GateFrames,
    look: Callable[[StreamFrame], Awaitable[tuple[Authorization, ...]]],
    take: Callable[[float], Awaitable[StreamFrame | None]],
) -> AsyncIterator[Turn]:
    """Yield what is decided until the frames end, signs of life, and the counts at last.

    Args:
        frames: Where they arrive.
        look: Analyses one; a server that is too busy for it drops it.
        take: Waits for the next so many seconds at most; may raise to end.
    """
    analyzed, told_s = 0, monotonic()
    while not frames.ended:
        frame = await take(_PING_S)
        answers: tuple[Authorization, ...] = ()
        try:
            if frame is not None:
                answers = await look(frame)
                analyzed += 1
        except OverloadedError:
            frames.dropped += 1
        for answer in answers:
            told_s = monotonic()
            yield Turn(answer, analyzed, frames.dropped)
        if monotonic() - told_s >= _PING_S:
            told_s = monotonic()
            yield Turn(None, analyzed, frames.dropped)
    yield Turn(None, analyzed, frames.dropped)
