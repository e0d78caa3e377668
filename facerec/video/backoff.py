"""How long to wait before the next attempt."""

from dataclasses import dataclass
from random import Random

__all__ = ["Backoff"]


@dataclass(frozen=True)
class Backoff:
    """Waits that double up to a limit, shortened by chance.

    Chance keeps many cameras behind one switch from coming back at the same moment ("equal jitter":
    half of the wait is certain; M. Brooker, 'Exponential Backoff And Jitter', 2015).

    Attributes:
        first_s: Longest wait after the first failure, seconds, above 0.
        longest_s: Longest wait ever, seconds.
    """

    first_s: float = 0.25
    longest_s: float = 2.0

    def wait_s(self, failures: int, chance: Random) -> float:
        """Return the seconds to wait after so many failures in a row, 1 or more."""
        limit = min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return limit * (0.5 + 0.5 * chance.random())
