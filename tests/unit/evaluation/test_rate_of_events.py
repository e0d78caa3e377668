"""Counted rates, against the definitions of their intervals."""

import numpy as np
import pytest
from scipy.stats import binom

from facerec.errors import EvaluationError
from facerec.evaluation.metrics.rate_of_events import CountedRate


@pytest.mark.parametrize(("events", "trials"), [(0, 30), (1, 812), (8, 812), (30, 30)])
def test_the_interval_ends_where_the_count_becomes_unlikely(events: int, trials: int) -> None:
    interval = CountedRate(events, trials, 0.01).interval
    if events:  # as many or more are seen once in 40 times at the lower end
        assert binom.sf(events - 1, trials, interval.low) == pytest.approx(0.025, abs=1e-6)
    if events < trials:
        assert binom.cdf(events, trials, interval.high) == pytest.approx(0.025, abs=1e-6)


def test_the_target_keeps_itself_about_95_times_in_100() -> None:
    counts = np.random.default_rng(3).binomial(812, 0.01, 4000)
    kept = np.mean([CountedRate(int(count), 812, 0.01).keeps_target for count in counts])
    assert 0.95 <= kept <= 0.98  # whole counts cannot give 95 % exactly


def test_too_strict_is_no_more_on_target_than_too_lax() -> None:
    assert [CountedRate(n, 812, 0.01).keeps_target for n in (0, 2, 3, 8, 14, 15)] == [
        *(False, False, True, True, True, False)
    ]


@pytest.mark.parametrize(("events", "trials", "target"), [(1, 0, 0.1), (3, 2, 0.1), (0, 5, 0.0)])
def test_what_is_no_rate_is_refused(events: int, trials: int, target: float) -> None:
    with pytest.raises(EvaluationError):
        CountedRate(events, trials, target)
