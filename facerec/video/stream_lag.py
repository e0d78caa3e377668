"""Telling old frames of a stream from fresh ones, by the stream's own stamps. Pure."""

__all__ = ["StreamLag"]

_LEAK = 1e-3
"""Seconds a second by which the best delay is forgotten: clocks of cameras drift by some 1e-5, and
a camera whose delay really changed is believed again after a while."""


class StreamLag:
    """Compares each frame's arrival with its stamp.

    The difference of the two is a constant plus the frame's delay on the way; the least difference
    so far is that of a frame that came at once. What exceeds it waited somewhere in between.
    """

    def __init__(self, max_lag_s: float) -> None:
        """Begin a connection; frames delayed by more than `max_lag_s` seconds are not fresh."""
        self._max_lag_s = max_lag_s
        self._least_s: float | None = None
        self._arrived_s = 0.0
        self._stamp_s = 0.0

    def is_fresh(self, arrived_s: float, stamp_s: float) -> bool:
        """Judge the next frame by when it arrived and its stamp, both in seconds.

        A stream whose stamps stand still or jump back states nothing, and is taken as it comes.
        """
        difference_s = arrived_s - stamp_s
        if self._least_s is None or stamp_s < self._stamp_s:
            self._least_s = difference_s
        else:
            forgotten_s = _LEAK * max(0.0, arrived_s - self._arrived_s)
            self._least_s = min(self._least_s + forgotten_s, difference_s)
        standing = stamp_s == self._stamp_s
        self._arrived_s, self._stamp_s = arrived_s, stamp_s
        return standing or difference_s - self._least_s <= self._max_lag_s
