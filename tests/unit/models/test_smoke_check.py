"""Networks that cannot work are refused, with the reason; fakes stand in at the port."""

import numpy as np
import pytest

from facerec.errors import ArrayError, ModelImportError
from facerec.inference import Preprocessing
from facerec.models.smoke_check import check_detector, check_embedder

OWN = Preprocessing(1, "bgr", (0.0, 0.0, 0.0), 1.0)
FLOATS = Preprocessing(1, "rgb", (127.5, 127.5, 127.5), 1 / 128, in_network=False)


class Answers:
    """A session that gives what a function of the batch says."""

    def __init__(self, function) -> None:
        self.function = function

    def run(self, batch):
        return np.asarray(self.function(batch), np.float32)


def projected(batch):
    weights = np.random.default_rng(1).normal(size=(batch[0].size, 32))
    centred = batch.reshape(len(batch), -1) - batch.mean()
    return centred @ weights


def test_a_working_embedder_is_taken_with_its_size() -> None:
    assert check_embedder(Answers(projected), OWN, 112) == 32


def test_an_embedder_of_floats_gets_what_was_stated() -> None:
    seen = []

    def record(batch):
        seen.append(batch)
        return projected(batch)

    check_embedder(Answers(record), FLOATS, 96)
    (batch,) = seen
    assert batch.shape == (2, 96, 96, 3)
    assert batch.dtype == np.float32
    assert -1.0 <= batch.min() < -0.9 and 0.9 < batch.max() <= 1.0


def refuse(batch):
    raise ArrayError("batch must be float32; received uint8")


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda batch: np.ones((len(batch), 32)), "embeds two quite different pictures alike"),
        (lambda batch: np.zeros((len(batch), 32)), "without length"),
        (lambda batch: np.full((len(batch), 32), np.nan), "not finite"),
        (lambda batch: np.ones((len(batch), 8)), "d from 16"),
        (lambda batch: np.ones((len(batch), 7, 7, 32)), "gives \\(n, d\\) numbers"),
        (refuse, "--color-order"),
    ],
    ids=["constant", "zero", "nan", "too short", "a map", "refuses uint8"],
)
def test_an_embedder_that_cannot_work_is_refused(function, reason: str) -> None:
    with pytest.raises(ModelImportError, match=reason):
        check_embedder(Answers(function), OWN, 112)


def yunet(batch, channels=16, value=0.5):
    _, h, w, _ = batch.shape
    cells = sum(h // s * (w // s) for s in (8, 16, 32))
    return np.full((1, cells, channels), value)


def centerface(batch, channels=15, value=0.5):
    _, h, w, _ = batch.shape
    return np.full((1, h // 4, w // 4, channels), value)


def test_detectors_of_both_layouts_are_taken() -> None:
    check_detector(Answers(yunet), "yunet", OWN)
    check_detector(Answers(centerface), "centerface", OWN)


@pytest.mark.parametrize(
    ("architecture", "function", "reason"),
    [
        ("yunet", centerface, "gives \\(1, 252, 16\\) numbers"),
        ("centerface", yunet, "gives \\(1, 24, 32, 15\\) numbers"),
        ("yunet", lambda batch: yunet(batch, channels=15), "16\\) numbers"),
        ("yunet", lambda batch: yunet(batch, value=1.5), "lie in 0..1"),
        ("centerface", lambda batch: centerface(batch, value=-0.1), "lie in 0..1"),
        ("yunet", lambda batch: yunet(np.zeros((1, 96, 128, 3))), "160"),
    ],
    ids=["other layout", "other layout", "a channel less", "logits", "logits", "fixed size"],
)
def test_a_detector_that_cannot_work_is_refused(architecture, function, reason) -> None:
    with pytest.raises(ModelImportError, match=reason):
        check_detector(Answers(function), architecture, OWN)
