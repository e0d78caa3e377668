"""From comparison scores to a decision: pure rules, the same for every command and service."""

from collections.abc import Iterable

from facerec.decision.decision import Decision, Outcome, Reason
from facerec.decision.operating_point import OperatingPoint
from facerec.decision.verification import Verification, VerificationOutcome
from facerec.gallery.profile import Candidates

__all__ = ["identify", "verify"]


def identify(
    candidates: Candidates,
    *,
    operating_point: OperatingPoint,
    target_fpir: float,
    min_margin: float,
    flaws: Iterable[str] = (),
) -> Decision:
    """Decide who a probe is.

    The best person is named when the similarity reaches the threshold of `target_fpir` for a
    gallery of so many templates (each is a chance to be mistaken for its owner) and leads the
    second by `min_margin`. A flawed probe is never decided on: "unknown" would be as unfounded as a
    name.

    Args:
        candidates: The best two people at least, of the space of `operating_point`.
        operating_point: Rates of that space.
        target_fpir: Share of strangers' probes that may name anybody, 0 < fpir < 1.
        min_margin: Least lead over the second-best person, in similarity.
        flaws: Values of `Reason` that make the probe unfit for comparison.
    """
    threshold = operating_point.threshold_at_fpir(
        target_fpir, candidates.searched, candidates.templates
    )
    similarity = float(candidates.similarities[0]) if len(candidates) else None
    margin = candidates.margin
    outcome, reasons = _outcome(similarity, threshold, margin, min_margin, tuple(flaws))
    return Decision(
        outcome=outcome,
        profile_id=candidates.profile_ids[0] if outcome is Outcome.IDENTIFIED else None,
        similarity=similarity,
        threshold=threshold,
        margin=margin,
        reasons=reasons,
        operating_point=operating_point.name,
        embedding_space=operating_point.embedding_space,
        revision=candidates.revision,
    )


def verify(
    similarity: float | None,
    *,
    operating_point: OperatingPoint,
    target_fmr: float,
    flaws: Iterable[str] = (),
    references: int = 1,
) -> Verification:
    """Decide whether a probe is of the person that it is compared with.

    Args:
        similarity: Cosine similarity in the space of `operating_point`; None when a face is
            missing, which `flaws` must then say.
        operating_point: Rates of that space.
        target_fmr: Share of comparisons of different people that may match, 0 < fmr < 1.
        flaws: Values of `Reason` that make either picture unfit for comparison.
        references: Number of templates of the person, by which `similarity` scores them.
    """
    threshold = operating_point.threshold_at_fmr(target_fmr, references)
    reasons = tuple(Reason(flaw) for flaw in flaws)
    if similarity is None or reasons:
        outcome = VerificationOutcome.UNDECIDED
    elif similarity >= threshold:
        outcome = VerificationOutcome.MATCH
    else:
        outcome, reasons = VerificationOutcome.NO_MATCH, (Reason.BELOW_THRESHOLD,)
    return Verification(
        outcome,
        similarity,
        threshold,
        target_fmr,
        reasons,
        operating_point.name,
        operating_point.embedding_space,
    )


def _outcome(
    similarity: float | None,
    threshold: float,
    margin: float | None,
    min_margin: float,
    flaws: tuple[str, ...],
) -> tuple[Outcome, tuple[Reason, ...]]:
    if flaws:
        return Outcome.UNDECIDED, tuple(Reason(flaw) for flaw in flaws)
    if similarity is None:
        return Outcome.UNKNOWN, (Reason.EMPTY_GALLERY,)
    if similarity < threshold:
        return Outcome.UNKNOWN, (Reason.BELOW_THRESHOLD,)
    if margin is not None and margin < min_margin:
        return Outcome.UNDECIDED, (Reason.NARROW_MARGIN,)
    return Outcome.IDENTIFIED, ()
