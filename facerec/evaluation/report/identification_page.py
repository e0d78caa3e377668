"""The page of an open-set 1:N evaluation."""

import numpy as np

from facerec.evaluation.metrics.groups import SearchGroupRates
from facerec.evaluation.metrics.rates import least_claimable
from facerec.evaluation.protocols.identification import IdentificationResult
from facerec.evaluation.report.content import Section, Table
from facerec.evaluation.report.formatting import bounded, in_brackets, share
from facerec.evaluation.report.plots import cumulative_match_plot

__all__ = [
    "IDENTIFICATION_LIMITS", "gallery_section", "identification_summary", "search_group_section",
]  # fmt: skip

IDENTIFICATION_LIMITS = (
    "Thresholds are set by the strangers of the same test, so FPIR is what it says by "
    "construction; how well a threshold set on other people keeps its rate is another question.",
    "FPIR rises with the gallery: figures hold for the number of people stated, not for more.",
    "Intervals are 95 %, by drawing probes' people and strangers with replacement while the "
    "gallery stays. Strangers did not try to be taken for anybody.",
)


def identification_summary(results: tuple[IdentificationResult, ...]) -> str:
    """Return the answer in a sentence or two."""
    parts = []
    for result in results:
        shown = next((a for a in result.fnir_at_fpir if a.at == 0.01 and not a.bound), None)
        if shown is not None:
            parts.append(
                f"With {result.references_each} reference(s) a person and "
                f"{result.scores.searched} people enrolled, {share(shown.rate)} of probes are "
                "missed where 1 % of strangers are named."
            )
    return " ".join(parts) or "There are too few strangers to state FNIR at FPIR 1 %."


def gallery_section(result: IdentificationResult) -> Section:
    """Return the error rates of one number of references a person."""
    rows = []
    for column, answer in enumerate(result.fnir_at_fpir):
        draws = [answer.rate, *result.draws[:, column]]
        rows.append(
            (
                f"{answer.at:g}",
                bounded(answer, "at least"),
                in_brackets(result.intervals.get(f"fnir_at_fpir:{answer.at:g}")),
                f"{np.mean(draws):.4f} ({min(draws):.4f} to {max(draws):.4f})",
                "" if answer.bound else f"{answer.threshold:.4f}",
            )
        )
    split = result.split
    return Section(
        f"{result.references_each} reference(s) a person",
        (
            f"{result.people} people to enrol, {result.failed_enrolments} of them without any "
            f"usable reference (FTE {share(result.failed_enrolments / max(result.people, 1))}); "
            f"{len(split.probes)} mated probes; {len(split.strangers)} strangers, so no FPIR under "
            f"{least_claimable(len(split.strangers)):.1e} can be shown. Rank 1: "
            f"{share(result.scores.rank1)} {in_brackets(result.intervals.get('rank1'))}. Probes "
            "without a template and probes of people who failed to enrol count as missed.",
        ),
        (
            Table(
                f"FNIR(N = {result.scores.searched}, R = 1, T) at FPIR(N, T); draws: the mean and "
                f"range over {1 + len(result.draws)} choices of references, the first pictures and "
                "random ones.",
                ("FPIR", "FNIR", "95 % interval", "Draws", "Threshold"),
                tuple(rows),
            ),
        ),
        (cumulative_match_plot(result.cumulative, result.references_each),),
    )


def search_group_section(
    rates: tuple[SearchGroupRates, ...], fpir: float, warnings: tuple[str, ...]
) -> Section:
    """Return error rates of searches by group."""
    rows = tuple(
        (
            group.group,
            f"{share(group.fnir)} {in_brackets(group.fnir_interval)} of {group.probes}",
            f"{share(group.fpir)} {in_brackets(group.fpir_interval)} of {group.strangers}",
        )
        for group in rates
    )
    text = "; ".join(warnings) or "No rate differs between groups by more than the stated factor"
    return Section(
        "Groups",
        (
            f"All groups are judged at the one threshold of FPIR {fpir:.2g} over everybody, in the "
            f"gallery of the first table. {text}. In brackets: 95 % intervals over the group's "
            "people; small groups show little.",
        ),
        (Table("", ("Group", "FNIR of mated probes", "FPIR of strangers"), rows),),
    )
