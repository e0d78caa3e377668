"""Looks at a face against a real gallery: what they are worth, and what they are held against."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facerec.decision.decision import Outcome, Reason
from facerec.decision.likelihood_band import LikelihoodBand
from facerec.decision.recognizer import Recognizer
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import NewTemplate
from facerec.gallery.receipt import ErasureReason
from facerec.video.evidence import FusedProbe
from facerec.video.identifier import GalleryIdentifier
from facerec.video.sequential_test import effective_looks, stranger_bound
from tests.unit.decision.test_policy import POINT

BANDS = (LikelihoodBand(0.0, 20.0, -6.0), LikelihoodBand(0.8, 40.0, -16.0))
WEIGHED = replace(POINT, bands=BANDS)
RECOGNIZER = Recognizer(WEIGHED, target_fpir=1e-2, target_fmr=1e-3, min_margin=0.1, min_quality=0.2)
ADA, BOB = np.eye(3, dtype=np.float32)[:2]
ONLY = ("default",)


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "gallery.db") as opened:
        for name, vector in (("Ada", ADA), ("Bob", BOB)):
            look = NewTemplate(vector, "space", 1.0, "by hand")
            opened.enrol(name, [look], profile_id=name.lower())
        yield opened


def towards(ada: float, bob: float = 0.0) -> np.ndarray:
    """A direction of so much similarity to each."""
    return np.array([ada, bob, np.sqrt(1 - ada**2 - bob**2)], np.float32)


def test_looks_are_worth_the_mean_of_their_similarities(gallery: Gallery) -> None:
    probe = FusedProbe(towards(0.8), coherence=0.5, looks=3, quality=0.5)
    found = GalleryIdentifier(RECOGNIZER, gallery, ONLY).identify(probe)
    threshold = WEIGHED.threshold_at_fpir(1e-2, 2, 2)
    assert found.decision.outcome is Outcome.IDENTIFIED
    assert found.decision.similarity == pytest.approx(0.4)
    assert found.decision.threshold == threshold
    assert found.evidence is not None
    worth = effective_looks(3)
    assert found.evidence.value == pytest.approx((20 * 0.4 - 6) * worth)
    assert found.evidence.upper == pytest.approx((20 * threshold - 6) * worth)
    assert found.evidence.lower == stranger_bound(2)
    assert found.evidence.is_person


def test_the_same_similarity_is_worth_less_between_good_faces(gallery: Gallery) -> None:
    identifier = GalleryIdentifier(RECOGNIZER, gallery, ONLY)
    poor, good = (
        identifier.identify(FusedProbe(towards(0.4), 1.0, quality=quality)).evidence
        for quality in (0.5, 0.9)
    )
    assert poor is not None and good is not None
    assert (poor.value, good.value) == (pytest.approx(2.0), pytest.approx(0.0, abs=1e-5))


@pytest.mark.parametrize("similarity", [-0.2, 0.1, 0.3, 0.32, 0.4, 0.9])
def test_evidence_passes_the_upper_bound_where_the_rate_allows_a_name(
    gallery: Gallery, similarity: float
) -> None:
    found = GalleryIdentifier(RECOGNIZER, gallery, ONLY).identify(
        FusedProbe(towards(similarity), 1.0)
    )
    assert found.evidence is not None
    assert found.evidence.is_person == (found.decision.outcome is Outcome.IDENTIFIED)


def test_few_people_are_not_named_on_what_many_strangers_reach(gallery: Gallery) -> None:
    careful = GalleryIdentifier(RECOGNIZER, gallery, ONLY, max_fmr=1e-3)
    asked = careful.identify(FusedProbe(towards(0.49), 1.0)).decision
    assert asked.outcome is Outcome.UNKNOWN
    assert asked.threshold == pytest.approx(WEIGHED.threshold_at_fmr(1e-3))
    assert careful.undecided((Reason.BLURRED,)).threshold == asked.threshold
    assert careful.identify(FusedProbe(towards(0.51), 1.0)).decision.profile_id == "ada"


def test_later_attempts_ask_for_more_and_never_for_what_is_not_known(gallery: Gallery) -> None:
    careful = GalleryIdentifier(RECOGNIZER, gallery, ONLY, max_fmr=1e-3)
    probe = FusedProbe(towards(0.6), 1.0)
    thresholds = [
        careful.identify(replace(probe, attempt=attempt)).decision.threshold
        for attempt in (1, 2, 3, 1000)
    ]
    rates = [WEIGHED.fmr_at(threshold) for threshold in thresholds]
    assert rates == pytest.approx([1e-3, 1e-3 / 4, 1e-3 / 9, 1e-3 / 40], rel=0.01)
    known = replace(WEIGHED, provenance=replace(WEIGHED.provenance, smallest_claimable_fmr=4e-2))
    knows_little = replace(RECOGNIZER, operating_point=known)
    late = GalleryIdentifier(knows_little, gallery, ONLY, max_fmr=1e-3).identify(
        replace(probe, attempt=1000)
    )
    assert known.fmr_at(late.decision.threshold) == pytest.approx(known.lowest_fmr, rel=0.01)


def test_two_who_are_nearly_alike_are_told_apart_by_nobody(gallery: Gallery) -> None:
    decision = (
        GalleryIdentifier(RECOGNIZER, gallery, ONLY)
        .identify(FusedProbe(towards(0.6, 0.55), 1.0))
        .decision
    )
    assert (decision.outcome, decision.reasons) == (Outcome.UNDECIDED, (Reason.NARROW_MARGIN,))
    assert decision.margin == pytest.approx(0.05, abs=1e-6)


def test_who_was_erased_since_they_were_found_has_no_name(gallery: Gallery) -> None:
    identifier = GalleryIdentifier(RECOGNIZER, gallery, ONLY)
    assert identifier.name_of("ada") == "Ada"
    gallery.life_cycle.erase("ada", ErasureReason.REQUESTED)
    assert identifier.name_of("ada") is None


def test_nobody_is_enrolled_and_nothing_is_weighed(tmp_path: Path) -> None:
    with Gallery.open(tmp_path / "empty.db") as gallery:
        identifier = GalleryIdentifier(RECOGNIZER, gallery, ONLY)
        found = identifier.identify(FusedProbe(ADA, 1.0))
        assert (found.decision.outcome, found.evidence) == (Outcome.UNKNOWN, None)
        assert identifier.nearest(ADA) is None
