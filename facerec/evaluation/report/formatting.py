"""Rates and intervals in words for people."""

from facerec.evaluation.metrics.bootstrap import Interval
from facerec.evaluation.metrics.rates import RateAtRate

__all__ = ["bounded", "in_brackets", "share"]


def share(value: float | None) -> str:
    """Write a rate: four digits that mean something, and no false zero."""
    if value is None:
        return "not measured"
    if value == 0 or value >= 0.01:
        return f"{value:.4f}"
    return f"{value:.2e}"


def in_brackets(interval: Interval | None) -> str:
    """Write a 95 % interval."""
    return "" if interval is None else f"[{share(interval.low)}, {share(interval.high)}]"


def bounded(answer: RateAtRate, sign: str) -> str:
    """Write a rate, with a sign before it where it is only a bound."""
    return f"{sign} {share(answer.rate)}" if answer.bound else share(answer.rate)
