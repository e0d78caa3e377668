"""The page of a 1:1 evaluation."""

from facerec.evaluation.metrics.bootstrap import rate_key
from facerec.evaluation.metrics.discarding import DiscardCurve
from facerec.evaluation.metrics.groups import GroupRates
from facerec.evaluation.metrics.rates import least_claimable
from facerec.evaluation.protocols.verification import PairsResult, VerificationResult
from facerec.evaluation.report.content import PicturePair, Section, Table
from facerec.evaluation.report.formatting import bounded, in_brackets, share
from facerec.evaluation.report.plots import det_plot, discard_plot, histogram_plot, roc_plot
from facerec.evaluation.report.subject import Failures

__all__ = [
    "VERIFICATION_LIMITS",
    "count_section",
    "discard_section",
    "group_section",
    "pairs_section",
    "rates_section",
    "verification_summary",
    "worst_section",
]

RULE_OF_THIRTY = 30
"""Errors from which a rate is known to within about 30 % (Doddington and others, 'The NIST speaker
recognition evaluation', Speech Communication 31, 2000; ISO/IEC 19795-1 annex B)."""
VERIFICATION_LIMITS = (
    "Intervals are 95 %, by drawing people with replacement: comparisons that share a person are "
    "not independent. They say how the figures would move with other people of the same kind, not "
    "with another kind of picture, camera or population.",
    "Non-mated comparisons are between people chosen without regard to likeness; relatives and "
    "look-alikes are accepted more often. Nobody tried to be taken for somebody else.",
    "Labels are taken as they are. Wrong labels count as errors of the system, and at the lowest "
    "false match rates they are often what is seen: look at the worst errors where they are shown.",
)


def verification_summary(result: VerificationResult, pairs: PairsResult | None) -> str:
    """Return the answer in a sentence or two."""
    shown = [answer for answer in result.tar_at_far if not answer.bound]
    start = "" if pairs is None else f"Accuracy over folds {pairs.accuracy.mean:.4f}. "
    if not shown:
        return (
            f"{start}There are too few non-mated comparisons "
            f"({result.comparisons.non_mated.total}) to state any false match rate; the equal "
            f"error rate is {share(result.eer)}."
        )
    seen = result.comparisons.non_mated.total
    known = [answer for answer in shown if answer.at * seen >= RULE_OF_THIRTY]
    lowest, why = (
        (known[-1], f"the lowest of which {RULE_OF_THIRTY} false matches or more were seen")
        if known
        else (shown[-1], "the lowest that these comparisons can show")
    )
    return (
        f"{start}At a false match rate of {rate_key(lowest.at)}, {why}, {share(1 - lowest.rate)} "
        f"of mated comparisons are missed; the equal error rate is {share(result.eer)}."
    )


def count_section(result: VerificationResult, failures: Failures) -> Section:
    """Return what was compared and what could not be."""
    made = result.comparisons
    rows = (
        ("People", str(made.people_count)),
        ("Pictures", str(failures.pictures)),
        ("Failures to acquire (FTA)", _failures(failures)),
        ("Pictures with more than one face", str(failures.several_faces)),
        ("Mated comparisons", f"{len(made.mated)}, of which {made.mated.failed} failed"),
        ("Non-mated comparisons", str(made.non_mated.total)),
    )
    return Section(
        "Counts and failures",
        (
            "A mated comparison with a picture that gave no template counts as not accepted; a "
            "non-mated one is not made, so that failures never lower a false match rate.",
        ),
        (Table("", ("", ""), rows),),
    )


def rates_section(result: VerificationResult) -> Section:
    """Return error rates, every picture with every other."""
    rows = []
    for answer in result.tar_at_far:
        interval = result.intervals.get(f"tar_at_far:{rate_key(answer.at)}")
        rows.append(
            (
                rate_key(answer.at),
                bounded(answer, "at most"),
                in_brackets(interval),
                "" if answer.bound else f"{answer.threshold:.4f}",
            )
        )
    least = least_claimable(result.comparisons.non_mated.total)
    curves = [("", result.curve)]
    marks = [
        (f"FMR {rate_key(answer.at)}", answer.threshold)
        for answer in result.tar_at_far
        if not answer.bound
    ]
    return Section(
        "Verification, every picture with every other",
        (
            f"Equal error rate {share(result.eer)} {in_brackets(result.intervals.get('eer'))}. "
            f"With {result.comparisons.non_mated.total} non-mated comparisons no false match rate "
            f"under {least:.1e} can be shown (rule of three); rates beyond are given as bounds.",
        ),
        (
            Table(
                "True accept rate (1 - FNMR, failures included) at false match rates.",
                ("FMR", "True accept rate", "95 % interval", "Threshold"),
                tuple(rows),
            ),
        ),
        (
            det_plot(curves, least),
            roc_plot(curves, least),
            histogram_plot(result.comparisons, marks),
        ),
    )


def pairs_section(pairs: PairsResult, missing: tuple[str, ...]) -> Section:
    """Return the accuracy over the folds of a pairs file."""
    accuracy = pairs.accuracy
    note = (
        "Each fold is judged at the threshold that is best on all others."
        if len(accuracy.folds) > 1
        else "There is a single fold, judged at its own best threshold, which flatters."
    )
    named = f" Missing pictures: {', '.join(missing[:20])}." if missing else ""
    rows = tuple(
        (str(fold + 1), f"{value:.4f}", f"{threshold:.4f}")
        for fold, (value, threshold) in enumerate(
            zip(accuracy.folds, accuracy.thresholds, strict=True)
        )
    )
    return Section(
        "Labelled pairs",
        (
            f"Accuracy {accuracy.mean:.4f} {in_brackets(pairs.interval)}, standard deviation over "
            f"folds {accuracy.std:.4f}, standard error {accuracy.standard_error:.4f}. {note} "
            f"{pairs.failed} of {len(pairs.scores)} pairs had a picture without a template and "
            f"count as wrong.{named}",
        ),
        (Table("", ("Fold", "Accuracy", "Threshold"), rows),),
    )


def group_section(rates: tuple[GroupRates, ...], fmr: float, warnings: tuple[str, ...]) -> Section:
    """Return error rates by group."""
    rows = tuple(
        (
            group.group,
            str(group.people),
            str(group.images),
            f"{share(group.fnmr)} {in_brackets(group.fnmr_interval)} of {group.mated}",
            f"{share(group.fmr)} {in_brackets(group.fmr_interval)} of {group.non_mated}",
            share(group.fta),
        )
        for group in rates
    )
    text = "; ".join(warnings) or "No rate differs between groups by more than the stated factor"
    return Section(
        "Groups",
        (
            f"All groups are judged at the one threshold of FMR {rate_key(fmr)} over everybody; "
            f"a group's FMR is between people of that group. {text}. In brackets: 95 % intervals "
            "over the group's people; small groups show little.",
        ),
        (Table("", ("Group", "People", "Pictures", "FNMR", "FMR", "FTA"), rows),),
    )


def discard_section(curves: tuple[tuple[str, DiscardCurve], ...], fmr: float) -> Section:
    """Return error-versus-discard curves by quality measure."""
    rows = tuple(
        (
            name,
            f"{curve.left_at(0.05):.3f}",
            f"{curve.left_at(0.1):.3f}",
            f"{curve.left_at(0.2):.3f}",
        )
        for name, curve in curves
    )
    count = curves[0][1].false_non_matches
    return Section(
        "Quality",
        (
            f"At the threshold of FMR {rate_key(fmr)} there are {count} false non-matches. The "
            "table says which share of them is left when the pictures of least quality go.",
        ),
        (Table("", ("Measure", "5 % discarded", "10 %", "20 %"), rows),),
        (discard_plot(curves),),
    )


def worst_section(pairs: tuple[PicturePair, ...]) -> Section:
    """Return the worst errors as pictures."""
    return Section(
        "Worst errors",
        ("The mated comparisons of lowest and the non-mated ones of highest similarity.",),
        picture_pairs=pairs,
    )


def _failures(failures: Failures) -> str:
    return (
        f"{share(failures.fta)}: {failures.no_face} without a face, {failures.unreadable} "
        f"unreadable, {failures.missing} missing"
    )
