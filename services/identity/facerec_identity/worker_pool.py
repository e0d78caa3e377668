"""A bounded pool of threads with a bounded queue before it."""

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from facerec.errors import DeadlineError, OverloadedError
from facerec_identity.call_record import CALL

__all__ = ["CallGuard", "WorkerPool"]

T = TypeVar("T")

_SMOOTHING = 0.2
"""Weight of the newest job in the running mean of durations: about the last ten jobs count."""


class CallGuard:
    """Tells work in a thread whether its caller still waits."""

    def __init__(self, time_remaining_s: float | None) -> None:
        self._deadline_s = None if time_remaining_s is None else time.monotonic() + time_remaining_s
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Note that the caller has gone."""
        self._cancelled.set()

    def check(self) -> None:
        """Call between stages of work.

        Raises:
            DeadlineError: the caller has gone or its deadline has passed: the work is in vain.
        """
        if self._cancelled.is_set():
            raise DeadlineError("the caller has cancelled the call")
        if self._deadline_s is not None and time.monotonic() >= self._deadline_s:
            raise DeadlineError("the deadline passed before the work was done; allow more time")


class WorkerPool:
    """Runs jobs of one event loop in threads; refuses at once what would wait too long.

    A call that waits holds no thread, and one that is cancelled while it waits leaves the queue.
    """

    def __init__(self, name: str, *, workers: int, max_queued: int) -> None:
        """Start the threads.

        Args:
            name: Prefix of the threads' names.
            workers: Jobs that run at the same time, 1 or more.
            max_queued: Jobs that wait at most, 1 or more; further ones are refused.
        """
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._workers = workers
        self._slots = asyncio.Semaphore(workers)
        self._max_queued = max_queued
        self._waiting = 0
        self._running = 0
        self._mean_job_s = 0.05  # Before the first job: a face or two on two cores.

    @property
    def waiting(self) -> int:
        """Jobs that wait for a thread now."""
        return self._waiting

    @property
    def running(self) -> int:
        """Jobs that have a thread now; may be read from any of them."""
        return self._running

    async def run(self, job: Callable[[CallGuard], T], *, time_remaining_s: float | None) -> T:
        """Run one job in a thread and return its result.

        Args:
            job: Blocking work; it should call its guard's ``check`` between stages.
            time_remaining_s: Seconds until the caller's deadline; None when there is none.

        Raises:
            OverloadedError: the queue is full.
            DeadlineError: the deadline passed before the job began, or between its stages.
        """
        if self._slots.locked() and self._waiting >= self._max_queued:
            raise OverloadedError(
                "the server has as many calls waiting as it takes on; try again later",
                retry_after_s=self._expected_wait_s(),
            )
        guard = CallGuard(time_remaining_s)
        self._waiting += 1
        queued_s = time.monotonic()
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
            if (call := CALL.get()) is not None:
                call.waited(time.monotonic() - queued_s)
        running = self._start(job, guard)
        try:
            return await asyncio.wrap_future(running)
        except asyncio.CancelledError:
            guard.cancel()
            raise
        finally:
            # A failure's frames hold this one, and the future the failure: the request that they
            # hold too would stay in memory until garbage is collected.
            del running

    async def close(self) -> None:
        """Wait for the jobs that run and end the threads."""
        await asyncio.to_thread(self._executor.shutdown)

    def _start(self, job: Callable[[CallGuard], T], guard: CallGuard) -> Future[T]:
        """Hand a job to a thread; its slot is free when the thread is, not when the caller is."""
        loop = asyncio.get_running_loop()
        started_s = time.monotonic()
        self._running += 1

        def finished(_: object) -> None:
            duration_s = time.monotonic() - started_s
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._free_slot, duration_s)

        def work() -> T:
            guard.check()
            return job(guard)

        # In the caller's context, so that stages of analysis are counted for its call.
        future = self._executor.submit(contextvars.copy_context().run, work)
        future.add_done_callback(finished)
        return future

    def _free_slot(self, duration_s: float) -> None:
        self._running -= 1
        self._mean_job_s += _SMOOTHING * (duration_s - self._mean_job_s)
        self._slots.release()

    def _expected_wait_s(self) -> float:
        """Return when the present queue is likely to be worked off, at least 50 ms."""
        return max(0.05, self._mean_job_s * (self._waiting + 1) / self._workers)
