"""Measures a running server from outside: alone, at half of its capacity, and at three times it."""

import asyncio
import itertools
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from facerec.client import AsyncGateClient, CallError

__all__ = ["LoadTimes", "measure_load"]

_LONE_CALLS = 40
_LOOK_UPS = 200
_CLIENTS = 4
"""Callers that together keep a server of a few workers busy, each with one call at a time."""
_OVERLOAD = 3.0
_WITHIN_S = 10.0


@dataclass(frozen=True)
class LoadTimes:
    """What was measured.

    Attributes:
        look_up_ms_p50: Median duration of a call without analysis (a profile that there is not).
        lone_ms_p50: Median duration of a call when there is no other.
        capacity_per_s: Calls a second with callers that each wait for their answer.
        half_load_ms_p99: 99 of 100 calls end within this at half of the capacity.
        overload_answers: Answers by status at three times the capacity.
        overload_longest_s: The longest call then.
        recovery_s: From the end of that until a call took no more than twice a lone one.
    """

    look_up_ms_p50: float
    lone_ms_p50: float
    capacity_per_s: float
    half_load_ms_p99: float
    overload_answers: dict[str, int]
    overload_longest_s: float
    recovery_s: float


async def measure_load(address: str, pictures: Sequence[bytes], seconds: float) -> LoadTimes:
    """Measure a server that has nothing else to do.

    Args:
        address: ``HOST:PORT`` of a server on this machine without TLS.
        pictures: Encoded pictures, at least one; asked about in turn.
        seconds: How long each of the three loads lasts.

    Raises:
        CallError: a call fails while the server is not overloaded.
    """
    async with AsyncGateClient(address, timeout_s=_WITHIN_S) as gate:
        caller = _Caller(gate, pictures)
        await caller.lone(_LONE_CALLS // 4)  # prepares the networks for pictures of this size
        look_up_s = statistics.median([await caller.look_up() for _ in range(_LOOK_UPS)])
        lone_s = statistics.median(await caller.lone(_LONE_CALLS))
        capacity = await caller.busy(seconds)
        half = await caller.at_rate(capacity / 2, seconds)
        over = await caller.at_rate(capacity * _OVERLOAD, seconds)
        ended_s = time.perf_counter()
        while (await caller.lone(1))[0] > 2 * lone_s:
            pass
        recovery_s = time.perf_counter() - ended_s
    refused = [status for status, _ in half if status != "OK"]
    if refused:
        raise CallError("the server refused calls at half of its capacity", status=refused[0])
    return LoadTimes(
        look_up_ms_p50=1000 * look_up_s,
        lone_ms_p50=1000 * lone_s,
        capacity_per_s=capacity,
        half_load_ms_p99=1000 * _percentile([spent_s for _, spent_s in half], 0.99),
        overload_answers=dict(Counter(status for status, _ in over)),
        overload_longest_s=max(spent_s for _, spent_s in over),
        recovery_s=recovery_s,
    )


class _Caller:
    """Asks who is on pictures, one after the other."""

    def __init__(self, gate: AsyncGateClient, pictures: Sequence[bytes]) -> None:
        self._gate = gate
        self._pictures = itertools.cycle(pictures)

    async def look_up(self) -> float:
        """Return the seconds of a call that needs no analysis."""
        begun_s = time.perf_counter()
        try:
            await self._gate.profile("nobody-of-that-id")
        except CallError as error:
            if error.status != "NOT_FOUND":
                raise
        return time.perf_counter() - begun_s

    async def lone(self, calls: int) -> list[float]:
        """Return the seconds of each of several calls, made one by one."""
        return [await self._identify() for _ in range(calls)]

    async def busy(self, seconds: float) -> float:
        """Return calls a second with several callers that each wait for their answer."""
        ended_s = time.perf_counter() + seconds
        done = 0

        async def client() -> None:
            nonlocal done
            while time.perf_counter() < ended_s:
                await self._identify()
                done += 1

        begun_s = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(_CLIENTS)))
        return done / (time.perf_counter() - begun_s)

    async def at_rate(self, per_second: float, seconds: float) -> list[tuple[str, float]]:
        """Begin calls at a steady rate whatever becomes of them; return status and seconds."""
        calls = []
        begun_s = time.perf_counter()
        for i in range(max(1, round(per_second * seconds))):
            await asyncio.sleep(begun_s + i / per_second - time.perf_counter())
            calls.append(asyncio.create_task(self._outcome()))
        return await asyncio.gather(*calls)

    async def _outcome(self) -> tuple[str, float]:
        begun_s = time.perf_counter()
        try:
            await self._identify()
        except CallError as error:
            return error.status, time.perf_counter() - begun_s
        return "OK", time.perf_counter() - begun_s

    async def _identify(self) -> float:
        begun_s = time.perf_counter()
        await self._gate.identify(next(self._pictures), main_only=True)
        return time.perf_counter() - begun_s


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
