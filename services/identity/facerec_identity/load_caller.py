"""Calls a running server as gates do: one by one, several at a time, or at a rate of their own."""

import asyncio
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from facerec.client import AsyncGateClient, CallError

__all__ = ["Caller", "Outcome", "evenly", "like_independent_gates"]


@dataclass(frozen=True)
class Outcome:
    """What became of a call.

    Attributes:
        status: Name of its status code.
        spent_s: From its beginning until its caller knew.
    """

    status: str
    spent_s: float


def evenly(per_second: float) -> Iterator[float]:
    """Yield the seconds between calls that come like a clock."""
    return itertools.repeat(1 / per_second)


def like_independent_gates(per_second: float, seed: int = 0) -> Iterator[float]:
    """Yield the seconds between calls of many who know nothing of each other (Poisson)."""
    chance = random.Random(seed)
    while True:
        yield chance.expovariate(per_second)


class Caller:
    """Asks one server who is on pictures, one after the other."""

    def __init__(self, gate: AsyncGateClient, pictures: Sequence[bytes]) -> None:
        """Take a connection and what is asked about, at least one picture."""
        self._gate = gate
        self._pictures = itertools.cycle(pictures)

    async def look_up(self, profile_id: str) -> float:
        """Return the seconds of a call that needs no analysis."""
        begun_s = time.perf_counter()
        await self._gate.profile(profile_id)
        return time.perf_counter() - begun_s

    async def identify(self, picture: bytes) -> float:
        """Return the seconds of a call about a picture."""
        begun_s = time.perf_counter()
        await self._gate.identify(picture, main_only=True)
        return time.perf_counter() - begun_s

    async def lone(self, calls: int) -> list[float]:
        """Return the seconds of each of several calls, made one by one."""
        return [await self.identify(next(self._pictures)) for _ in range(calls)]

    async def busy(self, callers: int, seconds: float) -> float:
        """Return calls a second with several callers that each wait for their answer."""
        ended_s = time.perf_counter() + seconds
        done = 0

        async def caller() -> None:
            nonlocal done
            while time.perf_counter() < ended_s:
                await self.identify(next(self._pictures))
                done += 1

        begun_s = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(callers)))
        return done / (time.perf_counter() - begun_s)

    async def arriving(self, gaps_s: Iterator[float], seconds: float) -> list[Outcome]:
        """Begin calls at given intervals, whatever becomes of those before; return all outcomes."""
        calls = []
        begun_s = time.perf_counter()
        due_s = 0.0
        while due_s < seconds:
            await asyncio.sleep(begun_s + due_s - time.perf_counter())
            calls.append(asyncio.create_task(self._outcome()))
            due_s += next(gaps_s)
        return await asyncio.gather(*calls)

    async def seconds_until(self, usual_s: float, most_s: float) -> float:
        """Return how long it takes until a lone call takes no more than usual again."""
        begun_s = time.perf_counter()
        while time.perf_counter() - begun_s < most_s:
            made = await self._outcome()
            if made.status == "OK" and made.spent_s <= usual_s:
                break
        return time.perf_counter() - begun_s

    async def _outcome(self) -> Outcome:
        begun_s = time.perf_counter()
        try:
            await self.identify(next(self._pictures))
        except CallError as error:
            return Outcome(error.status, time.perf_counter() - begun_s)
        return Outcome("OK", time.perf_counter() - begun_s)
