"""Operating points from made-up scores of which the true rates are known."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import genpareto, norm

from facerec.errors import EvaluationError
from facerec.evaluation.calibration import calibrating
from facerec.evaluation.calibration.calibrating import (
    CalibrationSource,
    KnownFaces,
    calibrate,
    calibrate_with_strangers,
)
from facerec.evaluation.calibration.gallery_growth import expected_fpir
from facerec.evaluation.calibration.likelihood import fit_bands
from facerec.evaluation.calibration.non_mated_rates import fit_pareto_tail
from facerec.evaluation.metrics.comparisons import highest_scores

SOURCE = CalibrationSource(
    "made-up", "pictures", "made up", "space", "d", "e", "w", True, "2026-01-01", ""
)


def faces(people: int, each: int, seed: int, dimensions: int = 64) -> KnownFaces:
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(people, dtype=np.int32), each)
    vectors = random.normal(size=(people, dimensions))[labels]
    vectors += 0.6 * random.normal(size=vectors.shape)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    quality = random.random(len(labels)).astype(np.float32)
    return KnownFaces(vectors.astype(np.float32), labels, quality)


def true_rate(threshold: float, dimensions: int = 64) -> float:
    """Directions drawn at random have a cosine of about this deviation (exact enough here)."""
    return float(norm.sf(threshold * np.sqrt(dimensions)))


@pytest.mark.parametrize("fmr", [0.1, 1e-2, 1e-3])
def test_the_stated_rate_is_the_true_one(fmr: float) -> None:
    point = calibrate(faces(200, 2, seed=1), SOURCE)
    threshold = point.threshold_at_fmr(fmr)
    low, high = point.fmr_interval_at(threshold)
    assert low < fmr < high
    assert true_rate(threshold) == pytest.approx(fmr, rel=0.4)


def test_the_tail_foretells_rates_that_the_sample_does_not_show() -> None:
    """120 people have 7,140 pairs: rates under 4e-4 cannot be seen, 1e-5 is foretold."""
    point = calibrate(faces(120, 1, seed=2), SOURCE)
    assert not point.is_measured(1e-5)
    threshold = point.threshold_at_fmr(1e-5)
    assert 1e-7 < true_rate(threshold) < 1e-5  # an exponential tail errs towards safety


def test_intervals_hold_other_peoples_rates() -> None:
    held = 0
    for seed in range(10):
        point = calibrate(faces(100, 2, seed=seed), SOURCE)
        threshold = point.threshold_at_fmr(1e-2)
        low, high = point.fmr_interval_at(threshold)
        held += low <= true_rate(threshold) <= high
    assert held >= 8


def test_people_of_many_pictures_do_not_sway_the_rate_of_searches() -> None:
    """One person, of 60 pictures, resembles everybody: per comparison that is most of all."""
    base = faces(60, 1, seed=3)
    random = np.random.default_rng(4)
    common = base.embeddings.sum(axis=0)
    many = common + 0.1 * np.linalg.norm(common) * random.normal(size=(60, 64)) / 8
    many /= np.linalg.norm(many, axis=1, keepdims=True)
    given = KnownFaces(
        np.concatenate([base.embeddings, many.astype(np.float32)]),
        np.concatenate([base.people, np.full(60, 60, np.int32)]),
        np.ones(120, np.float32),
    )
    point = calibrate(given, SOURCE)
    alone = calibrate(base, SOURCE)
    assert point.searches is not None
    at = alone.threshold_at_fmr(0.05)
    assert point.comparisons.rate_at(at) > 1.5 * point.searches.rate_at(at)
    assert point.searches.rate_at(at) == pytest.approx(0.05, rel=0.5)


def test_strangers_set_the_rate_when_they_are_given() -> None:
    enrolled, strangers = faces(40, 2, seed=5), faces(90, 2, seed=6)
    point = calibrate_with_strangers(enrolled, strangers, SOURCE)
    assert point.provenance.pairs_of_people == 40 * 90
    assert point.provenance.comparisons == 80 * 180
    assert true_rate(point.threshold_at_fmr(1e-2)) == pytest.approx(1e-2, rel=0.4)
    low, high = point.fmr_interval_at(point.threshold_at_fmr(1e-2))
    assert 0.3e-2 < low < 1e-2 < high < 3e-2


def test_people_who_are_there_twice_are_counted() -> None:
    apart = faces(40, 4, seed=9)
    assert calibrate(apart, SOURCE).provenance.alike == 0
    # Two pictures each of people 0 and 1 are put under new names.
    people = apart.people.copy()
    people[[0, 1]], people[[4, 5]] = 40, 41
    twice = KnownFaces(apart.embeddings, people, apart.quality)
    assert calibrate(twice, SOURCE).provenance.alike == 2
    strangers = KnownFaces(
        np.concatenate([faces(30, 1, seed=10).embeddings, apart.embeddings[[0, 1, 8]]]),
        np.concatenate([np.arange(30), [30, 30, 31]]).astype(np.int32),
        np.ones(33, np.float32),
    )
    assert calibrate_with_strangers(apart, strangers, SOURCE).provenance.alike == 2


def test_strangers_are_weighed_alike_when_only_the_highest_scores_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enrolled, strangers = faces(40, 2, seed=5), faces(90, 2, seed=6)
    whole = calibrate_with_strangers(enrolled, strangers, SOURCE)
    monkeypatch.setattr(
        calibrating, "highest_scores", lambda a, b: highest_scores(a, b, count=3000)
    )
    part = calibrate_with_strangers(enrolled, strangers, SOURCE)
    for rate in (0.1, 0.01, 0.002):
        assert part.fmr_at(whole.threshold_at_fmr(rate)) == pytest.approx(rate, rel=0.05)


def test_too_few_strangers_are_refused_with_what_is_needed() -> None:
    with pytest.raises(EvaluationError, match=r"3 faces of strangers.* 12 comp.* of 25 strangers"):
        calibrate_with_strangers(faces(4, 1, seed=0), faces(3, 1, seed=1), SOURCE)


@pytest.mark.parametrize(
    ("people", "words"), [(1, "at least two people"), (14, "at least 100.* 15 people")]
)
def test_too_few_people_are_refused_with_what_is_needed(people: int, words: str) -> None:
    with pytest.raises(EvaluationError, match=words):
        calibrate(faces(people, 1, seed=0), SOURCE)


def test_a_constant_embedder_cannot_be_calibrated() -> None:
    same = faces(40, 1, seed=0)
    alike = KnownFaces(np.repeat(same.embeddings[:1], 40, axis=0), same.people, same.quality)
    with pytest.raises(EvaluationError, match="the same"):
        calibrate(alike, SOURCE)


@pytest.mark.parametrize(("shape", "scale"), [(0.0, 0.02), (0.2, 0.03)])
def test_the_tails_fit_finds_what_scipy_drew(shape: float, scale: float) -> None:
    drawn = genpareto.rvs(shape, scale=scale, size=20_000, random_state=1)
    scores = np.sort(0.4 + drawn)[::-1].astype(np.float32)
    tail = fit_pareto_tail(scores, np.ones(len(scores)), 0.4, 1e-3)
    assert tail.shape == pytest.approx(shape, abs=0.04)
    assert tail.scale == pytest.approx(scale, rel=0.06)
    # A weight of two is a score seen twice.
    half = scores[: len(scores) // 2]
    weighed = fit_pareto_tail(half, np.full(len(half), 2.0), 0.4, 1e-3)
    seen_twice = fit_pareto_tail(np.repeat(half, 2), np.ones(2 * len(half)), 0.4, 1e-3)
    assert weighed.scale == pytest.approx(seen_twice.scale, rel=1e-3)


def test_a_tail_that_ends_is_taken_as_one_that_falls_exponentially() -> None:
    scores = np.sort(0.4 + genpareto.rvs(-0.4, scale=0.02, size=2000, random_state=2))[::-1]
    tail = fit_pareto_tail(scores.astype(np.float32), np.ones(2000), 0.4, 1e-3)
    assert tail.shape == 0.0
    assert tail.rate_at(0.5) > 1e-3 * genpareto.sf(0.1, -0.4, scale=0.02)


def test_evidence_is_calibrated_in_each_band() -> None:
    """Normal scores of equal deviation have an affine log-likelihood ratio, known exactly."""
    random = np.random.default_rng(7)
    quality = random.random(4000)
    apart = np.where(quality < 0.5, 0.2, 0.4)  # faces of low quality are told apart worse
    mated = (apart + 0.1 * random.normal(size=4000)).astype(np.float32)
    other = (0.1 * random.normal(size=40_000)).astype(np.float32)
    bands = fit_bands(mated, quality, other, random.random(40_000))
    assert [round(band.least_quality, 1) for band in bands] == [0.0, 0.1, 0.5]
    best = bands[-1]  # (.4 s - .08) / .01
    assert best.slope == pytest.approx(40, rel=0.15)
    assert best.log_likelihood_ratio(0.2) == pytest.approx(0, abs=0.6)
    assert bands[0].slope == pytest.approx(20, rel=0.2)
    assert bands[0].log_likelihood_ratio(0.1) == pytest.approx(0, abs=0.6)
    assert fit_bands(mated[:5], quality[:5], other, random.random(40_000)) == ()


def drawn_fpir(
    best: NDArray[np.float32], threshold: float, size: int, random: np.random.Generator
) -> float:
    rates = []
    for _ in range(3000):
        gallery = random.choice(best.shape[1], size, replace=False)
        rates.append((best[:, gallery].max(axis=1) >= threshold).mean())
    return float(np.mean(rates))


@pytest.mark.parametrize("size", [1, 5, 20, 30])
def test_expected_fpir_is_what_drawing_galleries_gives(size: int) -> None:
    random = np.random.default_rng(8)
    best = (random.normal(size=(60, 30)) + random.normal(size=(60, 1))).astype(np.float32)
    found = expected_fpir(best, np.array([1.5, 9.0]), np.array([size]))
    assert found[0, 0] == pytest.approx(drawn_fpir(best, 1.5, size, random), abs=0.01)
    assert found[1, 0] == pytest.approx(0.0, abs=1e-12)


def test_nobody_named_is_zero_and_not_what_logarithms_leave() -> None:
    best = np.full((33, 24), 0.1, np.float32)
    best[0, 0] = 0.9
    found = expected_fpir(best, np.array([0.5, 0.95]), np.array([20, 24]))
    np.testing.assert_allclose(found[0], [20 / 24 / 33, 1 / 33])
    assert found[1].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("references", [1, 3])
def test_strangers_are_named_as_often_as_stated_however_many_references(references: int) -> None:
    point = calibrate(faces(300, 2, seed=1), SOURCE)
    gallery, strangers = faces(60, references, seed=2), faces(5000, 1, seed=3)
    best = (strangers.embeddings @ gallery.embeddings.T).max(axis=1)
    threshold = point.threshold_at_fpir(0.05, 60, 60 * references)
    low, high = point.fpir_interval_at(threshold, 60 * references)
    assert low <= float(np.mean(best >= threshold)) <= high
    if references > 1:
        # Counting people alone would name far more strangers than stated.
        assert np.mean(best >= point.threshold_at_fpir(0.05, 60)) > 1.5 * 0.05
