"""An adapted network is packaged only if it is no worse than its start, in both measures."""

import numpy as np
import pytest

from facerec.errors import TrainingError
from facerec.training.judging import Verdict, judge
from facerec.training.packaging import TOLERANCE, refuse_worse

PEOPLE = np.repeat(np.arange(40, dtype=np.int32), 4)


def verdict(noise: float) -> Verdict:
    """Judge embeddings of 40 made-up people whose pictures scatter so much."""
    random = np.random.default_rng(1)
    own = random.normal(size=(40, 16))[PEOPLE]
    return judge((own + noise * random.normal(size=own.shape)).astype(np.float32), PEOPLE)


def test_a_network_that_forgot_is_refused_and_one_that_did_not_is_kept() -> None:
    start, same, better, forgot = verdict(0.8), verdict(0.8), verdict(0.7), verdict(1.2)
    assert forgot.eer > start.eer + TOLERANCE and forgot.tar < start.tar
    refuse_worse(start, same, "people held out")
    refuse_worse(start, better, "people held out")
    with pytest.raises(TrainingError, match="worse than its start on people held out") as raised:
        refuse_worse(start, forgot, "people held out")
    assert f"{forgot.eer:.4f} after {start.eer:.4f}" in str(raised.value)


@pytest.mark.parametrize(
    ("eer", "tar", "kept"),
    [
        (TOLERANCE * 0.9, 0.0, True),
        (0.0, -TOLERANCE * 0.9, True),
        (TOLERANCE * 1.1, 0.0, False),
        (0.0, -TOLERANCE * 1.1, False),
        (-0.1, -TOLERANCE * 1.1, False),
    ],
)
def test_either_measure_alone_refuses(eer: float, tar: float, kept: bool) -> None:
    start = verdict(0.8)
    values = vars(start)
    after = Verdict(**{**values, "eer": start.eer + eer, "tar": start.tar + tar})
    if kept:
        refuse_worse(start, after, "people held out")
    else:
        with pytest.raises(TrainingError, match="it is not packaged"):
            refuse_worse(start, after, "people held out")
