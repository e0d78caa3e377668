"""Thresholds and rates: inverse of one another, monotonic, and right in cases done by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import genpareto

from facerec.decision.likelihood_band import LikelihoodBand
from facerec.decision.operating_point import OperatingPoint, Provenance
from facerec.decision.operating_point_file import (
    operating_point_from_json,
    operating_point_to_json,
)
from facerec.decision.pareto_tail import ParetoTail
from facerec.decision.rate_curve import RateCurve
from facerec.errors import OperatingPointError

PROVENANCE = Provenance(
    data="made by hand",
    people=100_000,
    images=100_000,
    comparisons=4_999_950_000,
    pairs_of_people=4_999_950_000,
    smallest_claimable_fmr=3 / 4_999_950_000,
    detector="yunet",
    embedder="sface",
    mirrored_chip=True,
    date="2026-01-01",
    remarks="",
)
# One decade for each 0.1 of similarity, so that every expected value can be done in the head.
CURVE = RateCurve((-1.0, 0.1, 0.2, 0.3), (1.0, 1e-1, 1e-2, 1e-3))
POINT = OperatingPoint("space", CURVE, PROVENANCE)

rates = st.floats(1e-9, 0.999)


@pytest.mark.parametrize(
    ("fmr", "threshold", "why"),
    [
        (1e-1, 0.1, "at a knot"),
        (1e-3, 0.3, "at the last knot"),
        (10**-1.5, 0.15, "half a decade is half of the way between two knots"),
        (1e-4, 0.4, "beyond the last knot the last decade goes on"),
        (1e-6, 0.6, "and on"),
    ],
)
def test_threshold_and_rate_are_as_done_by_hand(fmr: float, threshold: float, why: str) -> None:
    assert POINT.threshold_at_fmr(fmr) == pytest.approx(threshold), why
    assert POINT.fmr_at(threshold) == pytest.approx(fmr), why


def test_extrapolation_takes_the_slope_of_the_last_decade_not_of_the_last_two_knots() -> None:
    # The last two knots alone would give a slope of ln(2)/0.001 and a threshold near 0.3.
    point = replace(POINT, comparisons=RateCurve((-1.0, 0.2, 0.3, 0.301), (1.0, 1e-2, 2e-3, 1e-3)))
    assert point.threshold_at_fmr(1e-4) == pytest.approx(0.301 + 0.101)


def test_with_less_than_a_decade_the_slope_of_all_knots_is_taken() -> None:
    point = replace(POINT, comparisons=RateCurve((0.0, 0.1), (0.5, 0.25)))
    assert point.threshold_at_fmr(0.125) == pytest.approx(0.2)


def test_a_rate_above_the_highest_known_gives_the_lowest_knot() -> None:
    point = replace(POINT, comparisons=RateCurve((0.1, 0.2), (0.5, 0.05)))
    assert point.threshold_at_fmr(0.9) == 0.1
    assert point.fmr_at(-0.5) == 0.5


@given(rates, rates)
def test_threshold_falls_with_the_rate_and_the_rate_gives_it_back(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert POINT.threshold_at_fmr(low) >= POINT.threshold_at_fmr(high)
    assert POINT.fmr_at(POINT.threshold_at_fmr(a)) == pytest.approx(a, rel=1e-6)


@pytest.mark.parametrize(
    ("fpir", "searched", "fmr", "why"),
    [
        (0.01, 1, 0.01, "with one person a stranger has one chance"),
        (0.19, 2, 0.1, "1 - 0.9 * 0.9 = 0.19"),
        (0.01, 1000, 1.005e-5, "1 - 0.99 ** (1 / 1000)"),
        (0.01, 0, 0.01, "an empty gallery is treated as one of one person"),
    ],
)
def test_identification_threshold_grows_with_the_gallery(
    fpir: float, searched: int, fmr: float, why: str
) -> None:
    found = POINT.fmr_at(POINT.threshold_at_fpir(fpir, searched))
    assert found == pytest.approx(fmr, rel=1e-3), why


@pytest.mark.parametrize(
    ("searched", "templates", "counted"),
    [(2, 6, 6), (2, 2, 2), (2, 0, 2), (5, 3, 5), (0, 0, 1)],
)
def test_every_template_of_a_gallery_is_a_chance_to_be_mistaken(
    searched: int, templates: int, counted: int
) -> None:
    found = POINT.threshold_at_fpir(0.01, searched, templates)
    assert found == POINT.threshold_at_fpir(0.01, counted)
    assert POINT.fpir_at(found, counted) == pytest.approx(0.01, rel=1e-6)


def test_a_claim_that_several_references_can_confirm_asks_more_of_each() -> None:
    # 1 - (1 - r) ** 3 = 0.01
    each = POINT.fmr_at(POINT.threshold_at_fmr(0.01, 3))
    assert each == pytest.approx(1 - 0.99 ** (1 / 3), rel=1e-6)
    assert POINT.threshold_at_fmr(0.01, 1) == POINT.threshold_at_fmr(0.01)


def test_identification_rate_is_kept_by_simulated_strangers() -> None:
    """Draw non-mated similarities from the very tail that the operating point describes."""
    rng = np.random.default_rng(7)
    searched, strangers, fpir = 50, 20_000, 0.05
    threshold = POINT.threshold_at_fpir(fpir, searched)
    # The inverse of `fmr_at`, done here once more from the knots.
    u = rng.random((strangers, searched))
    similarities = np.interp(-np.log10(u), [0, 1, 2, 3, 12], [-1.0, 0.1, 0.2, 0.3, 1.2])
    found = np.mean(similarities.max(axis=1) >= threshold)
    assert abs(found - fpir) < 4 * math.sqrt(fpir * (1 - fpir) / strangers)


def test_says_what_is_measured_and_what_is_extrapolated() -> None:
    assert POINT.is_measured(1e-3)
    assert not POINT.is_measured(0.9e-3)


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, 2.0, math.nan])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(OperatingPointError, match="between 0 and 1"):
        POINT.threshold_at_fmr(rate)
    with pytest.raises(OperatingPointError, match="between 0 and 1"):
        POINT.threshold_at_fpir(rate, 10)


@pytest.mark.parametrize(
    ("similarities", "fmrs"),
    [
        ((), ()),
        ((0.1,), (0.5,)),
        ((0.1, 0.2), (0.5,)),
        ((0.2, 0.1), (0.5, 0.1)),
        ((0.1, 0.2), (0.1, 0.5)),
        ((0.1, 0.2), (0.5, 0.5)),
        ((0.1, 0.2), (0.5, 0.0)),
        ((0.1, 0.2), (1.5, 0.1)),
        ((0.1, math.nan), (0.5, 0.1)),
    ],
)
def test_knots_that_are_no_tail_are_refused(
    similarities: tuple[float, ...], fmrs: tuple[float, ...]
) -> None:
    with pytest.raises(OperatingPointError, match="knots"):
        RateCurve(similarities, fmrs)


def test_file_gives_back_what_was_written() -> None:
    assert operating_point_from_json(operating_point_to_json(POINT)) == POINT


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"embedding_space": "a"}', "\x00"])
def test_damaged_file_is_refused(text: str) -> None:
    with pytest.raises(OperatingPointError, match="damaged"):
        operating_point_from_json(text)


FEW = replace(PROVENANCE, people=31, pairs_of_people=465, smallest_claimable_fmr=3 / 465)
SMALL = replace(POINT, provenance=FEW, name="gate")


def test_a_rate_that_the_sample_says_nothing_about_is_refused_with_what_is_needed() -> None:
    assert SMALL.threshold_at_fmr(1e-4) == pytest.approx(0.4)  # two decades are foretold
    # 3 / (1e-6 * 100) = 30,000 pairs of people: 246 people have 30,135.
    with pytest.raises(OperatingPointError, match=r"gate.* 246 people \(30000 pairs of people\)"):
        SMALL.threshold_at_fmr(1e-6)
    assert 245 * 244 / 2 < 30_000 <= 246 * 245 / 2
    with pytest.raises(OperatingPointError, match="pairs of people"):
        SMALL.threshold_at_fpir(1e-3, 100)  # 1e-5 for each of the hundred


def test_a_gallery_much_larger_than_calibrated_for_is_refused() -> None:
    assert SMALL.largest_gallery == 3100
    SMALL.threshold_at_fpir(0.5, 3100)
    with pytest.raises(OperatingPointError, match=r"up to 3100; this one holds 3101.* least 32"):
        SMALL.threshold_at_fpir(0.5, 3101)


def test_another_space_is_refused() -> None:
    assert SMALL.fitting("space") is SMALL
    with pytest.raises(OperatingPointError, match="facerec calibrate"):
        SMALL.fitting("other")


def test_searches_have_a_curve_of_their_own() -> None:
    point = replace(POINT, searches=RateCurve((0.0, 1.0), (1.0, 1e-10)))
    assert point.threshold_at_fpir(1e-2, 1) == pytest.approx(0.2)
    assert point.threshold_at_fmr(1e-2) == pytest.approx(0.2)
    assert point.threshold_at_fpir(1e-4, 1) == pytest.approx(0.4)
    assert point.fpir_at(0.4, 100) == pytest.approx(1 - (1 - 1e-4) ** 100)


def test_intervals_follow_the_knots_and_widen_beyond_them() -> None:
    curve = replace(CURVE, lows=(1.0, 0.05, 5e-3, 5e-4), highs=(1.0, 0.2, 2e-2, 2e-3))
    assert curve.interval_at(0.2) == pytest.approx((5e-3, 2e-2))
    # A hundred times rarer than the last knot: ten times as wide in the logarithm, 2 ** 10.
    assert curve.interval_at(0.5) == pytest.approx((1e-5 / 1024, 1e-5 * 1024))
    assert CURVE.interval_at(0.2) == (0.0, 1.0)
    unseen = replace(curve, lows=(1.0, 0.05, 0.0, 0.0))  # no draw of people had any
    assert [unseen.interval_at(at)[0] for at in (0.2, 0.25, 0.5)] == [0.0, 0.0, 0.0]
    with pytest.raises(OperatingPointError, match="interval"):
        replace(CURVE, lows=(0.1,), highs=(0.2,))
    point = replace(POINT, comparisons=curve)
    assert point.fmr_interval_at(0.2) == pytest.approx((5e-3, 2e-2))
    assert point.fpir_interval_at(0.3, 3) == pytest.approx((1 - 0.9995**3, 1 - 0.998**3))


@pytest.mark.parametrize("shape", [0.0, 0.05, 0.5])
def test_the_tail_is_scipys_and_its_own_inverse(shape: float) -> None:
    tail = ParetoTail(0.3, 1e-3, shape, 0.02)
    for similarity in (0.3, 0.31, 0.4, 0.6):
        expected = 1e-3 * genpareto.sf(similarity - 0.3, shape, scale=0.02)
        assert tail.rate_at(similarity) == pytest.approx(expected)
        assert tail.similarity_at(tail.rate_at(similarity)) == pytest.approx(similarity)
        later = tail.from_later(0.35, tail.rate_at(0.35))
        if similarity >= 0.35:
            assert later.rate_at(similarity) == pytest.approx(tail.rate_at(similarity))


def test_the_tail_takes_over_at_the_last_knot() -> None:
    point = replace(POINT, comparisons=replace(CURVE, tail=ParetoTail(0.3, 1e-3, 0.0, 0.01)))
    assert point.fmr_at(0.3) == pytest.approx(1e-3)
    assert point.fmr_at(0.31) == pytest.approx(1e-3 / math.e)
    assert point.threshold_at_fmr(1e-5) == pytest.approx(0.3 + 0.01 * math.log(100))
    with pytest.raises(OperatingPointError, match="tail"):
        ParetoTail(0.3, 1e-3, -0.1, 0.01)


def test_evidence_is_that_of_the_band_of_the_quality() -> None:
    bands = (LikelihoodBand(0.0, 20.0, -8.0), LikelihoodBand(0.5, 40.0, -14.0))
    point = replace(POINT, bands=bands)
    assert point.log_likelihood_ratio(0.5, 0.49) == pytest.approx(2.0)
    assert point.log_likelihood_ratio(0.5, 0.5) == pytest.approx(6.0)
    assert POINT.log_likelihood_ratio(0.5) is None


def test_every_part_survives_its_file() -> None:
    curve = replace(
        CURVE,
        tail=ParetoTail(0.3, 1e-3, 0.1, 0.01),
        lows=(1, 0.05, 5e-3, 5e-4),
        highs=(1, 0.2, 2e-2, 2e-3),
    )
    whole = replace(
        POINT,
        name="gate",
        comparisons=curve,
        searches=CURVE,
        bands=(LikelihoodBand(0.0, 1.0, 2.0),),
    )
    assert operating_point_from_json(operating_point_to_json(whole)) == whole
