"""The bounded pool: how many run, how many wait, and who leaves when."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from facerec.errors import DeadlineError, OverloadedError
from facerec_identity.worker_pool import CallGuard, WorkerPool


class Gate:
    """A job that waits until it is let through, and counts who is inside."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.lock = threading.Lock()
        self.inside = self.most_inside = self.done = 0

    def __call__(self, guard: CallGuard) -> int:
        with self.lock:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        self.open.wait()
        with self.lock:
            self.inside -= 1
            self.done += 1
        guard.check()
        return self.done


@asynccontextmanager
async def pool_of(workers: int, max_queued: int) -> AsyncIterator[tuple[WorkerPool, Gate]]:
    pool, gate = WorkerPool("test", workers=workers, max_queued=max_queued), Gate()
    try:
        yield pool, gate
    finally:
        gate.open.set()
        await pool.close()


async def until(gate: Gate, inside: int) -> None:
    while gate.inside != inside:
        await asyncio.sleep(0.001)


async def test_as_many_run_as_there_are_workers_and_all_finish() -> None:
    async with pool_of(3, 10) as (pool, gate):
        calls = [asyncio.create_task(pool.run(gate, time_remaining_s=None)) for _ in range(9)]
        await until(gate, 3)
        gate.open.set()
        assert sorted(await asyncio.gather(*calls))[-1] == 9
        assert gate.most_inside == 3


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_back() -> None:
    async with pool_of(1, 2) as (pool, gate):
        calls = [asyncio.create_task(pool.run(gate, time_remaining_s=None)) for _ in range(3)]
        await until(gate, 1)
        with pytest.raises(OverloadedError) as caught:
            await pool.run(gate, time_remaining_s=None)
        assert 0 < caught.value.retry_after_s < 60
        gate.open.set()
        await asyncio.gather(*calls)
        assert gate.done == 3
        await pool.run(gate, time_remaining_s=None)  # and takes calls again


async def test_a_caller_that_leaves_the_queue_makes_room() -> None:
    async with pool_of(1, 1) as (pool, gate):
        first = asyncio.create_task(pool.run(gate, time_remaining_s=None))
        await until(gate, 1)
        second = asyncio.create_task(pool.run(gate, time_remaining_s=None))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        third = asyncio.create_task(pool.run(gate, time_remaining_s=None))
        await asyncio.sleep(0)
        gate.open.set()
        await asyncio.gather(first, third)
        assert gate.done == 2  # the second never ran


async def test_a_caller_that_leaves_while_served_frees_its_worker_only_when_the_work_ends() -> None:
    async with pool_of(1, 2) as (pool, gate):
        first = asyncio.create_task(pool.run(gate, time_remaining_s=None))
        await until(gate, 1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        second = asyncio.create_task(pool.run(gate, time_remaining_s=None))
        for _ in range(20):
            await asyncio.sleep(0)
        assert gate.inside == gate.most_inside == 1
        gate.open.set()
        await second
        assert gate.most_inside == 1


async def test_work_learns_that_its_caller_has_gone() -> None:
    learned: list[bool] = []
    entered, go_on = threading.Event(), threading.Event()

    def job(guard: CallGuard) -> None:
        entered.set()
        go_on.wait()
        try:
            guard.check()
        except DeadlineError:
            learned.append(True)
            raise

    pool = WorkerPool("test", workers=1, max_queued=1)
    call = asyncio.create_task(pool.run(job, time_remaining_s=None))
    while not entered.is_set():
        await asyncio.sleep(0.001)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    go_on.set()
    await pool.close()
    assert learned == [True]


async def test_a_call_whose_deadline_passed_is_not_begun() -> None:
    async with pool_of(1, 1) as (pool, gate):
        gate.open.set()
        with pytest.raises(DeadlineError):
            await pool.run(gate, time_remaining_s=0.0)
        assert gate.done == 0


async def test_an_error_of_the_work_reaches_the_caller_and_frees_the_worker() -> None:
    def job(guard: CallGuard) -> int:
        raise ValueError("told")

    async with pool_of(1, 1) as (pool, gate):
        for _ in range(3):
            with pytest.raises(ValueError, match="told"):
                await pool.run(job, time_remaining_s=None)
        gate.open.set()
        assert await pool.run(gate, time_remaining_s=60.0) == 1
