"""Joins the runs of a network that calls in flight ask for at about the same time into one."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facerec.inference.session import InferenceSession

__all__ = ["BatchingSession"]

Batch = NDArray[np.uint8] | NDArray[np.float32]


@dataclass(eq=False)
class _JointRun:
    """One run that several threads wait for; changed under the session's lock until it is shut.

    Attributes:
        parts: What each thread brought, all of one size and type.
        outputs: What each gets, in the same order; empty until the run is over.
        failure: Why there are none.
        over: Set when the run is.
    """

    parts: list[Batch]
    outputs: Sequence[NDArray[np.float32]] = ()
    failure: BaseException | None = None
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def views(self) -> int:
        return sum(map(len, self.parts))

    def takes(self, part: Batch, most: int) -> bool:
        """Whether a part fits in beside the others."""
        first = self.parts[0]
        alike = part.shape[1:] == first.shape[1:] and part.dtype == first.dtype
        return alike and self.views + len(part) <= most


class BatchingSession:
    """An `InferenceSession` for the threads of a server; each gets what is its own of a joint run.

    The first thread to come leads: it waits for others, takes the network when it is free, and runs
    all that has come by then. It does not wait when nobody else could come, so a lone call is as
    fast as without. What is computed of a picture does not depend on what else is in the run
    (beyond the rounding of the network's own sums).
    """

    def __init__(
        self,
        session: InferenceSession,
        *,
        wait_s: float,
        most: int,
        in_flight: Callable[[], int],
        observe: Callable[[int], None],
    ) -> None:
        """Put it before a network.

        Args:
            session: The network.
            wait_s: How long a run waits for others at most; 0 joins none.
            most: Views in a joint run at most; a part that is larger alone runs by itself.
            in_flight: Tells how many threads may come at present, the caller's included.
            observe: Told of each run how many views it had.
        """
        self._session = session
        self._wait_s = wait_s
        self._most = most
        self._in_flight = in_flight
        self._observe = observe
        self._changed = threading.Condition()
        self._network = threading.Lock()
        self._open: _JointRun | None = None

    def run(self, batch: Batch) -> NDArray[np.float32]:
        """Run the network; see `InferenceSession.run`."""
        if self._wait_s <= 0 or len(batch) >= self._most:
            self._observe(len(batch))
            return self._session.run(batch)
        run, place = self._join(batch)
        if place == 0:
            self._lead(run)
        run.over.wait()
        if run.failure is not None and place == 0:
            raise run.failure
        if run.failure is not None:
            # Each thread that raises an exception writes its own traceback into it.
            raise _again(run.failure) from run.failure
        return run.outputs[place]

    def _join(self, part: Batch) -> tuple[_JointRun, int]:
        """Put a part into the run that is open, or open one; return it and the part's place."""
        with self._changed:
            run = self._open
            if run is None or not run.takes(part, self._most):
                # Its leader goes on without us; who comes next finds ours.
                run = self._open = _JointRun([])
            run.parts.append(part)
            self._changed.notify_all()
            return run, len(run.parts) - 1

    def _lead(self, run: _JointRun) -> None:
        try:
            self._gather(run)
            # While another run has the network, this one still takes in who comes.
            with self._network:
                self._shut(run)
                run.outputs = self._computed(run.parts)
        except BaseException as error:
            run.failure = error
        finally:
            self._shut(run)
            run.over.set()

    def _shut(self, run: _JointRun) -> None:
        with self._changed:
            if self._open is run:
                self._open = None

    def _gather(self, run: _JointRun) -> None:
        """Wait until the run is full, everybody has come who could, or time is up."""
        ends_s = time.monotonic() + self._wait_s
        with self._changed:
            while self._open is run and run.views < self._most:
                left_s = ends_s - time.monotonic()
                if left_s <= 0 or len(run.parts) >= self._in_flight():
                    return
                self._changed.wait(left_s)

    def _computed(self, parts: Sequence[Batch]) -> Sequence[NDArray[np.float32]]:
        self._observe(sum(map(len, parts)))
        if len(parts) == 1:
            return (self._session.run(parts[0]),)
        joint: Any = np.concatenate(parts)
        ends = np.cumsum([len(part) for part in parts])[:-1]
        return np.split(self._session.run(joint), ends)


def _again(failure: BaseException) -> BaseException:
    """Return an exception like another, with no traceback; some cannot be made from their args."""
    twin = type(failure).__new__(type(failure), *failure.args)
    twin.__dict__.update(failure.__dict__)
    return twin
