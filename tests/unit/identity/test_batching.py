"""Joint runs: everybody gets what is theirs, nobody waits in vain, and a fault reaches them all."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facerec.errors import RequestError
from facerec_identity.batching import BatchingSession

LONG_S = 3600.0
"""No test waits for it: one that did would hang."""


class Sums:
    """A network whose output for a view is the sum of its pixels; can be held."""

    def __init__(self, failing: bool = False) -> None:
        self.let_go = threading.Event()
        self.let_go.set()
        self.running = threading.Event()
        self.failing = failing

    def run(self, batch: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        self.running.set()
        self.let_go.wait()
        if self.failing:
            raise RequestError("broken", field="image")
        return batch.reshape(len(batch), -1).sum(axis=1, dtype=np.float32)[:, None]


def views(count: int, seed: int, side: int = 4) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 255, (count, side, side, 3), np.uint8)


def expected(part: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.array([[float(view.sum())] for view in part], np.float32)


class Runs:
    """Views of each run, as they are told."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, count: int) -> None:
        self.sizes.append(count)


def batching(
    network: Sums, runs: Runs, *, wait_s: float, most: int, in_flight: Callable[[], int]
) -> BatchingSession:
    return BatchingSession(network, wait_s=wait_s, most=most, in_flight=in_flight, observe=runs)


def at_once(
    session: BatchingSession, parts: Sequence[NDArray[np.uint8]]
) -> list[NDArray[np.float32]]:
    together = threading.Barrier(len(parts))

    def one(part: NDArray[np.uint8]) -> NDArray[np.float32]:
        together.wait()
        return session.run(part)

    with ThreadPoolExecutor(len(parts)) as threads:
        return list(threads.map(one, parts))


def test_all_who_are_in_flight_share_one_run() -> None:
    runs, parts = Runs(), [views(n, n) for n in (1, 2, 3)]
    session = batching(Sums(), runs, wait_s=LONG_S, most=64, in_flight=lambda: 3)
    for part, got in zip(parts, at_once(session, parts), strict=True):
        np.testing.assert_array_equal(got, expected(part))
    assert runs.sizes == [6]


def test_a_full_run_goes_although_others_are_in_flight() -> None:
    runs, parts = Runs(), [views(2, n) for n in range(4)]
    session = batching(Sums(), runs, wait_s=LONG_S, most=4, in_flight=lambda: 9)
    at_once(session, parts)
    assert runs.sizes == [4, 4]


def test_a_lone_call_does_not_wait() -> None:
    runs = Runs()
    session = batching(Sums(), runs, wait_s=LONG_S, most=64, in_flight=lambda: 1)
    np.testing.assert_array_equal(session.run(views(2, 0)), expected(views(2, 0)))
    assert runs.sizes == [2]


def test_nobody_waits_for_ever_for_those_who_do_not_come() -> None:
    runs = Runs()
    session = batching(Sums(), runs, wait_s=0.01, most=64, in_flight=lambda: 5)
    np.testing.assert_array_equal(session.run(views(2, 0)), expected(views(2, 0)))
    assert runs.sizes == [2]


def test_who_comes_while_the_network_is_busy_shares_the_next_run() -> None:
    """Even when the time to wait is over: it costs nobody anything."""
    network, runs = Sums(), Runs()
    network.let_go.clear()
    session = batching(network, runs, wait_s=1e-6, most=64, in_flight=lambda: 9)
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(session.run, views(1, 0))
        network.running.wait()
        others = [threads.submit(session.run, views(2, seed)) for seed in (1, 2, 3)]
        while session._open is None or len(session._open.parts) < 3:
            sleep(0.001)
        network.let_go.set()
        np.testing.assert_array_equal(first.result(), expected(views(1, 0)))
        for seed, other in zip((1, 2, 3), others, strict=True):
            np.testing.assert_array_equal(other.result(), expected(views(2, seed)))
    assert runs.sizes == [1, 6]


def test_switched_off_each_runs_by_itself() -> None:
    runs, parts = Runs(), [views(2, n) for n in range(3)]
    at_once(batching(Sums(), runs, wait_s=0, most=64, in_flight=lambda: 3), parts)
    assert runs.sizes == [2, 2, 2]


def test_parts_of_different_sizes_are_not_joined() -> None:
    runs, parts = Runs(), [views(1, 0), views(1, 1, side=8)]
    session = batching(Sums(), runs, wait_s=0.2, most=64, in_flight=lambda: 2)
    for part, got in zip(parts, at_once(session, parts), strict=True):
        np.testing.assert_array_equal(got, expected(part))
    assert runs.sizes == [1, 1]


def test_a_fault_of_the_network_reaches_all_who_wait() -> None:
    runs = Runs()
    session = batching(Sums(failing=True), runs, wait_s=LONG_S, most=64, in_flight=lambda: 3)
    together = threading.Barrier(3)

    def one(seed: int) -> RequestError:
        together.wait()
        with pytest.raises(RequestError, match="broken") as caught:
            session.run(views(1, seed))
        return caught.value

    with ThreadPoolExecutor(3) as threads:
        raised = list(threads.map(one, range(3)))
    assert runs.sizes == [3]
    assert [error.field for error in raised] == ["image"] * 3
    # One object in three threads would gather the tracebacks of all.
    assert len({id(error) for error in raised}) == 3
    (original,) = [error for error in raised if error.__cause__ is None]
    assert all(error.__cause__ is original for error in raised if error is not original)


@settings(max_examples=30)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=12),
    most=st.integers(1, 12),
    wait_ms=st.sampled_from([0.0, 0.1, 2.0]),
)
def test_everybody_gets_their_own(sizes: list[int], most: int, wait_ms: float) -> None:
    runs, parts = Runs(), [views(size, seed) for seed, size in enumerate(sizes)]
    session = batching(Sums(), runs, wait_s=wait_ms / 1000, most=most, in_flight=lambda: len(parts))
    for part, got in zip(parts, at_once(session, parts), strict=True):
        np.testing.assert_array_equal(got, expected(part))
    assert sum(runs.sizes) == sum(sizes)
    assert max(runs.sizes) <= max(most, *sizes)
