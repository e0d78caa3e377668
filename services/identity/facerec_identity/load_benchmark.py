"""Measures a running server from outside: alone, busy, at half and at three times its capacity."""

import gc
import itertools
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from facerec.client import AsyncGateClient, CallError
from facerec_identity.load_caller import Caller, Outcome, evenly, like_independent_gates

__all__ = ["LoadTimes", "Throughput", "measure_load", "measure_throughput"]

_LONE_CALLS = 64
_LOOK_UPS = 300
_ROUNDS = 10
"""Turns of the sides that are compared; what else the machine does then falls on all of them."""

_CALLERS_PER_WORKER = 2
"""One call of each worker is worked on while another is on its way."""

_OVERLOAD = 3.0
_WITHIN_S = 3.0
"""Deadline of calls to a server that has too many."""

_PATIENTLY_S = 60.0
"""Deadline of the others: one that ends with it would be missing among the figures."""

_RECOVERY_S = 20.0
"""A server that takes longer has not recovered."""


@dataclass(frozen=True)
class Throughput:
    """What servers get done, beside the same work without a server, alternated on one machine.

    Attributes:
        alone_per_s: Pictures a second, decoded and analysed without a server; median of the rounds.
        each_per_s: Calls a second that each server answers; medians.
        each_share: Of `alone_per_s`, round by round; medians.
        each_share_range: The lowest and the highest share of a round.
    """

    alone_per_s: float
    each_per_s: tuple[float, ...]
    each_share: tuple[float, ...]
    each_share_range: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class LoadTimes:
    """How one server behaves.

    Attributes:
        look_up_ms_p50: Median duration of a call that only reads a profile.
        lone_ms_p50: Median duration of a call when there is no other.
        overhead_ms_p50: By how much a call is longer than decoding and analysing its picture
            without a server just before; median.
        half_load_ms_p99: 99 of 100 calls end within this when one comes as often as half of the
            capacity, like a clock.
        half_load_random_ms_p99: The same when they come as from gates that know nothing of each
            other.
        overload_answers: Answers by status at three times the capacity.
        overload_longest_s: The longest call then.
        refusal_ms_p50: Median duration of those that were refused; None when none was.
        recovery_s: From the end of that until a call took no more than twice a lone one.
    """

    look_up_ms_p50: float
    lone_ms_p50: float
    overhead_ms_p50: float
    half_load_ms_p99: float
    half_load_random_ms_p99: float
    overload_answers: dict[str, int]
    overload_longest_s: float
    refusal_ms_p50: float | None
    recovery_s: float


async def measure_throughput(
    alone: Callable[[float], float],
    addresses: Sequence[str],
    pictures: Sequence[bytes],
    *,
    workers: int,
    seconds: float,
) -> Throughput:
    """Measure what is done without a server and by each of some servers, in turn.

    Args:
        alone: Analyses without a server for so many seconds; returns pictures a second.
        addresses: ``HOST:PORT`` of each server on this machine, without TLS.
        pictures: Encoded pictures, at least one; asked about in turn.
        workers: Calls that a server analyses at the same time.
        seconds: How long each side is measured in all.

    Raises:
        CallError: a call fails.
    """
    turn_s = seconds / _ROUNDS
    rounds: list[list[float]] = []
    with _without_collecting():
        for _ in range(_ROUNDS):
            found = [alone(turn_s)]
            for address in addresses:
                async with AsyncGateClient(address, timeout_s=_PATIENTLY_S) as gate:
                    caller = Caller(gate, pictures)
                    await caller.lone(2)
                    found.append(await caller.busy(_CALLERS_PER_WORKER * workers, turn_s))
            rounds.append(found)
    sides = [statistics.median(side) for side in zip(*rounds, strict=True)]
    shares = list(zip(*([side / found[0] for side in found[1:]] for found in rounds), strict=True))
    return Throughput(
        alone_per_s=sides[0],
        each_per_s=tuple(sides[1:]),
        each_share=tuple(map(statistics.median, shares)),
        each_share_range=tuple((min(share), max(share)) for share in shares),
    )


async def measure_load(
    address: str,
    pictures: Sequence[bytes],
    known: str,
    *,
    analyse: Callable[[bytes], object],
    capacity_per_s: float,
    seconds: float,
) -> LoadTimes:
    """Measure a server that has nothing else to do.

    Args:
        address: ``HOST:PORT`` of a server on this machine without TLS.
        pictures: Encoded pictures, at least one; asked about in turn.
        known: Id of somebody who is enrolled.
        analyse: Decodes and analyses a picture without a server.
        capacity_per_s: Calls a second that it can do.
        seconds: How long each of the three loads lasts.

    Raises:
        CallError: a call fails while the server is not overloaded.
    """
    async with (
        AsyncGateClient(address, timeout_s=_PATIENTLY_S) as gate,
        AsyncGateClient(address, timeout_s=_WITHIN_S) as hasty,
    ):
        caller = Caller(gate, pictures)
        with _without_collecting():
            await caller.lone(_LONE_CALLS // 4)  # prepares the networks for pictures of this size
            look_up_s = statistics.median([await caller.look_up(known) for _ in range(_LOOK_UPS)])
            lone_s, overhead_s = await _lone_calls(caller, pictures, analyse)
            steady = await caller.arriving(evenly(capacity_per_s / 2), seconds)
            independent = like_independent_gates(capacity_per_s / 2)
            chance = await caller.arriving(independent, seconds)
            over = await Caller(hasty, pictures).arriving(
                evenly(capacity_per_s * _OVERLOAD), seconds
            )
            recovery_s = await caller.seconds_until(2 * lone_s, _RECOVERY_S)
    refused = [made.spent_s for made in over if made.status == "RESOURCE_EXHAUSTED"]
    return LoadTimes(
        look_up_ms_p50=1000 * look_up_s,
        lone_ms_p50=1000 * lone_s,
        overhead_ms_p50=1000 * overhead_s,
        half_load_ms_p99=1000 * _p99_of_answered(steady),
        half_load_random_ms_p99=1000 * _p99_of_answered(chance),
        overload_answers=dict(Counter(made.status for made in over)),
        overload_longest_s=max(made.spent_s for made in over),
        refusal_ms_p50=1000 * statistics.median(refused) if refused else None,
        recovery_s=recovery_s,
    )


async def _lone_calls(
    caller: Caller, pictures: Sequence[bytes], analyse: Callable[[bytes], object]
) -> tuple[float, float]:
    """Return the median seconds of a lone call, and of what it adds to analysing its picture.

    One of either in turn, so that both find what the other left in the caches and on the cores.
    """
    calls: list[float] = []
    added: list[float] = []
    for picture in itertools.islice(itertools.cycle(pictures), _LONE_CALLS):
        begun_s = time.perf_counter()
        analyse(picture)
        analysis_s = time.perf_counter() - begun_s
        call_s = await caller.identify(picture)
        calls.append(call_s)
        added.append(call_s - analysis_s)
    return statistics.median(calls), statistics.median(added)


def _p99_of_answered(outcomes: Sequence[Outcome]) -> float:
    """Return the seconds within which 99 of 100 calls ended.

    Raises:
        CallError: one of them was not answered.
    """
    failed = [made.status for made in outcomes if made.status != "OK"]
    if failed:
        raise CallError("the server refused calls at half of its capacity", status=failed[0])
    ordered = sorted(made.spent_s for made in outcomes)
    return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Keep this process from pausing to collect garbage: it would be taken for the server's."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
