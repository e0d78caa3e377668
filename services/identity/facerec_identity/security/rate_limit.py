"""How many calls a client may make."""

import math
import time
from collections.abc import Callable

from facerec.errors import OverloadedError

__all__ = ["RateLimit"]

_BURST_S = 2.0
"""A client that was silent may make the calls of this long at once."""


class RateLimit:
    """A token bucket a client; for use within one event loop."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Compose.

        Args:
            per_second: Calls a second that each client may make; 0 for any number.
            clock: Returns seconds.
        """
        self._per_second = per_second
        self._most = max(1.0, per_second * _BURST_S)
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def admit(self, client: str) -> None:
        """Count one call of a client.

        Raises:
            OverloadedError: it has made too many.
        """
        if self._per_second == 0:
            return
        now = self._clock()
        left, since = self._buckets.get(client, (self._most, now))
        left = min(self._most, left + (now - since) * self._per_second)
        if left < 1:
            self._buckets[client] = (left, now)
            wait_s = math.ceil((1 - left) / self._per_second * 1000) / 1000
            raise OverloadedError("this client makes too many calls", retry_after_s=wait_s)
        self._buckets[client] = (left - 1, now)
