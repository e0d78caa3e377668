"""A rate measured by counting independent trials, held against a target."""

from dataclasses import dataclass

from scipy.stats import beta, binom

from facerec.errors import EvaluationError
from facerec.evaluation.metrics.bootstrap import Interval

__all__ = ["CountedRate"]


@dataclass(frozen=True)
class CountedRate:
    """How often something happened in independent trials that should happen at a target rate.

    Attributes:
        events: How often it happened.
        trials: Of so many, 1 or more.
        target: Rate that was asked for, between 0 and 1.
    """

    events: int
    trials: int
    target: float

    def __post_init__(self) -> None:
        if not (0 <= self.events <= self.trials and self.trials and 0 < self.target < 1):
            raise EvaluationError(
                f"{self.events} of {self.trials} at a target of {self.target} is no counted rate"
            )

    @property
    def rate(self) -> float:
        """Share of the trials."""
        return self.events / self.trials

    @property
    def interval(self) -> Interval:
        """95 % interval of the true rate (Clopper and Pearson, Biometrika 26, 1934)."""
        low = beta.ppf(0.025, self.events, self.trials - self.events + 1) if self.events else 0.0
        lacking = self.trials - self.events
        high = beta.ppf(0.975, self.events + 1, lacking) if lacking else 1.0
        return Interval(float(low), float(high))

    @property
    def expected(self) -> Interval:
        """Rates that 95 % of such measurements give where the target is the truth (binomial)."""
        low, high = binom.ppf([0.025, 0.975], self.trials, self.target)
        return Interval(float(low) / self.trials, float(high) / self.trials)

    @property
    def keeps_target(self) -> bool:
        """Whether the measured rate is one that the target gives."""
        return self.expected.holds(self.rate)
