"""Every kind of case of the decision rules, done by hand."""

import numpy as np
import pytest

from facerec.decision import policy
from facerec.decision.decision import Outcome, Reason
from facerec.decision.operating_point import OperatingPoint
from facerec.decision.rate_curve import RateCurve
from facerec.decision.verification import VerificationOutcome
from facerec.gallery.profile import Candidates
from tests.unit.decision.test_operating_point import PROVENANCE

# The threshold for FPIR 1e-2 in a gallery of one is 0.25, and of FMR 1e-3 it is 0.5: powers of
# two, so that "at the threshold" is exact.
POINT = OperatingPoint("space", RateCurve((-1.0, 0.25, 0.5), (1.0, 1e-2, 1e-3)), PROVENANCE)
FPIR, MARGIN = 1e-2, 0.125


def candidates(*similarities: float, searched: int | None = None, templates: int = 0) -> Candidates:
    names = tuple("abcdef"[: len(similarities)])
    count = len(similarities) if searched is None else searched
    scores = np.array(similarities, np.float32)
    return Candidates(names, scores, count, revision=1, templates=templates)


IDENTIFIED, UNKNOWN, UNDECIDED = Outcome.IDENTIFIED, Outcome.UNKNOWN, Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("found", "flaws", "outcome", "reasons", "why"),
    [
        (candidates(), (), UNKNOWN, ["empty_gallery"], "nobody is enrolled"),
        (candidates(0.9), (), IDENTIFIED, [], "one person, far above: there is no margin to keep"),
        (candidates(0.25), (), IDENTIFIED, [], "at the threshold"),
        (candidates(0.2499), (), UNKNOWN, ["below_threshold"], "just under it"),
        (candidates(-0.3), (), UNKNOWN, ["below_threshold"], "unlike anybody"),
        (candidates(0.9, 0.9), (), UNDECIDED, ["narrow_margin"], "a tie: twins, or one twice"),
        (candidates(0.9, 0.8), (), UNDECIDED, ["narrow_margin"], "a lead that is too small"),
        (candidates(0.875, 0.75), (), IDENTIFIED, [], "a lead that is just enough"),
        (candidates(0.9, 0.1), (), IDENTIFIED, [], "clearly one of two"),
        (candidates(0.2, 0.19), (), UNKNOWN, ["below_threshold"], "under it the lead is no matter"),
        (candidates(0.9), ("blurred",), UNDECIDED, ["blurred"], "a flawed probe names nobody"),
        (candidates(0.1), ("blurred",), UNDECIDED, ["blurred"], "nor does it say unknown"),
        (candidates(), ("too_small",), UNDECIDED, ["too_small"], "not even of an empty gallery"),
        (
            candidates(0.9, 0.9),
            (Reason.TURNED_AWAY, Reason.CLIPPED),
            UNDECIDED,
            ["turned_away", "clipped"],
            "all flaws are told, in order",
        ),
    ],
)
def test_identify(
    found: Candidates,
    flaws: tuple[str, ...],
    outcome: Outcome,
    reasons: list[str],
    why: str,
) -> None:
    decision = policy.identify(
        found, operating_point=POINT, target_fpir=FPIR, min_margin=MARGIN, flaws=flaws
    )
    assert decision.outcome is outcome, why
    assert [reason.value for reason in decision.reasons] == reasons, why
    assert decision.profile_id == ("a" if outcome is IDENTIFIED else None), why
    assert (decision.similarity is None) == (len(found) == 0), why
    assert (decision.margin is None) == (len(found) < 2), why


def test_decision_tells_the_score_the_margin_and_the_threshold_of_this_gallerys_size() -> None:
    decision = policy.identify(
        candidates(0.75, 0.5, searched=100),
        operating_point=POINT,
        target_fpir=FPIR,
        min_margin=MARGIN,
    )
    assert decision.similarity == pytest.approx(0.75)
    assert decision.margin == pytest.approx(0.25)
    assert decision.threshold == POINT.threshold_at_fpir(FPIR, 100) > 0.5


def test_the_same_score_names_in_a_small_gallery_and_not_in_a_large_one() -> None:
    outcomes = [
        policy.identify(
            candidates(0.5, searched=size), operating_point=POINT, target_fpir=FPIR, min_margin=0
        ).outcome
        for size in (1, 9, 11, 1000)
    ]
    # FPIR 1e-2 of ten people is FMR 1e-3 each (and a little more), whose threshold is 0.5.
    assert outcomes == [IDENTIFIED, IDENTIFIED, UNKNOWN, UNKNOWN]


def test_the_same_score_names_nobody_where_the_same_people_have_many_templates() -> None:
    outcomes = [
        policy.identify(
            candidates(0.5, searched=3, templates=templates),
            operating_point=POINT,
            target_fpir=FPIR,
            min_margin=0,
        ).outcome
        for templates in (3, 9, 11, 1000)
    ]
    assert outcomes == [IDENTIFIED, IDENTIFIED, UNKNOWN, UNKNOWN]


MATCH, NO_MATCH = VerificationOutcome.MATCH, VerificationOutcome.NO_MATCH


@pytest.mark.parametrize(
    ("similarity", "flaws", "outcome", "reasons", "why"),
    [
        (0.9, (), MATCH, [], "far above"),
        (0.5, (), MATCH, [], "at the threshold"),
        (0.4999, (), NO_MATCH, ["below_threshold"], "just under it"),
        (-1.0, (), NO_MATCH, ["below_threshold"], "the opposite"),
        (0.9, ("blurred",), VerificationOutcome.UNDECIDED, ["blurred"], "flawed: no match"),
        (0.1, ("low_quality",), VerificationOutcome.UNDECIDED, ["low_quality"], "nor its denial"),
        (None, ("no_face",), VerificationOutcome.UNDECIDED, ["no_face"], "nothing to compare"),
    ],
)
def test_verify(
    similarity: float | None,
    flaws: tuple[str, ...],
    outcome: VerificationOutcome,
    reasons: list[str],
    why: str,
) -> None:
    answer = policy.verify(similarity, operating_point=POINT, target_fmr=1e-3, flaws=flaws)
    assert answer.outcome is outcome, why
    assert answer.match is (outcome is MATCH), why
    assert [reason.value for reason in answer.reasons] == reasons, why
    assert (answer.similarity, answer.threshold, answer.fmr) == (similarity, 0.5, 1e-3)


def test_a_claim_pays_for_the_references_that_can_confirm_it() -> None:
    answers = [
        policy.verify(0.5, operating_point=POINT, target_fmr=1e-3, references=references)
        for references in (1, 2)
    ]
    assert [answer.match for answer in answers] == [True, False]
    assert answers[1].threshold == POINT.threshold_at_fmr(1e-3, 2)
    assert answers[1].fmr == 1e-3


def test_a_flaw_that_is_no_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="ugly"):
        policy.verify(0.9, operating_point=POINT, target_fmr=1e-3, flaws=("ugly",))
