"""Plots of error rates; the only module that imports matplotlib, and it opens no window."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from facerec.evaluation.metrics.comparisons import HISTOGRAM_BINS, Comparisons
from facerec.evaluation.metrics.detections import DetectionScores
from facerec.evaluation.metrics.discarding import DiscardCurve
from facerec.evaluation.metrics.rates import ErrorCurve
from facerec.evaluation.metrics.reliability import Reliability
from facerec.evaluation.report.content import Figure

__all__ = [
    "cumulative_match_plot",
    "det_plot",
    "discard_plot",
    "gallery_size_plot",
    "histogram_plot",
    "precision_recall_plot",
    "reliability_plot",
    "roc_plot",
    "search_time_plot",
]

BLUE, RED, GREY, GREEN = "#1f5fa8", "#c0392b", "#8a94a3", "#2c7a4b"
STYLE: Any = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e7ec",
    "axes.axisbelow": True,
    "legend.frameon": False,
}


@contextmanager
def _drawn(name: str, caption: str, made: list[Figure]) -> Iterator[Any]:
    """Give axes, then append the finished figure to `made`."""
    with matplotlib.rc_context(STYLE):
        canvas = Canvas(figsize=(7.6, 4.6), dpi=130, layout="constrained")
        FigureCanvasAgg(canvas)
        yield canvas.subplots()
        written = io.BytesIO()
        canvas.savefig(written, format="png", metadata={"Software": "facerec"})
        made.append(Figure(name, written.getvalue(), caption))


def det_plot(curves: Sequence[tuple[str, ErrorCurve]], least_fmr: float) -> Figure:
    """Return the detection error trade-off: FNMR over FMR, both axes logarithmic."""
    made: list[Figure] = []
    caption = (
        "Detection error trade-off: the share of mated comparisons missed (FNMR) over the share of "
        "non-mated ones accepted (FMR). Lower is better. The grey line marks the lowest FMR that "
        "this number of comparisons can show (rule of three)."
    )
    with _drawn("det", caption, made) as axes:
        for (label, curve), colour in zip(curves, (BLUE, RED, GREEN, GREY), strict=False):
            fmr, fnmr = _thinned(curve)
            axes.step(fmr, fnmr, where="post", color=colour, label=label)
        axes.axvline(least_fmr, color=GREY, linewidth=1, linestyle=":")
        axes.set(xlabel="False match rate (FMR)", ylabel="False non-match rate (FNMR)")
        _logarithmic(axes, any(((c.fnmr > 0) & (c.fmr > 0)).any() for _, c in curves))
        axes.set_xlim(max(least_fmr / 3, 1e-9), 1)
        if len(curves) > 1:
            axes.legend()
    return made[0]


def roc_plot(curves: Sequence[tuple[str, ErrorCurve]], least_fmr: float) -> Figure:
    """Return the receiver operating characteristic over a logarithmic FMR axis."""
    made: list[Figure] = []
    caption = (
        "Receiver operating characteristic: the share of mated comparisons accepted (1 - FNMR, "
        "true accept rate) over FMR. Higher is better."
    )
    with _drawn("roc", caption, made) as axes:
        for (label, curve), colour in zip(curves, (BLUE, RED, GREEN, GREY), strict=False):
            fmr, fnmr = _thinned(curve)
            axes.step(fmr, 1 - fnmr, where="post", color=colour, label=label)
        axes.axvline(least_fmr, color=GREY, linewidth=1, linestyle=":")
        axes.set(
            xscale="log", xlabel="False match rate (FMR)", ylabel="True accept rate (1 - FNMR)"
        )
        axes.set_xlim(max(least_fmr / 3, 1e-9), 1)
        if len(curves) > 1:
            axes.legend(loc="lower right")
    return made[0]


def histogram_plot(
    comparisons: Comparisons, thresholds: Sequence[tuple[str, float]] = ()
) -> Figure:
    """Return the distributions of mated and non-mated scores, with thresholds marked."""
    made: list[Figure] = []
    caption = (
        "Similarity of mated and of non-mated comparisons, each as a share of its kind, on a "
        "logarithmic axis so that the rare errors can be seen. Dashed: thresholds."
    )
    bins = 128
    edges = np.linspace(-1, 1, bins + 1)
    other = comparisons.non_mated.histogram.reshape(bins, HISTOGRAM_BINS // bins).sum(axis=1)
    finite = comparisons.mated.scores[np.isfinite(comparisons.mated.scores)]
    own = np.histogram(np.clip(finite, -1, 1), edges)[0]
    with _drawn("scores", caption, made) as axes:
        for counts, colour, label in ((other, RED, "non-mated"), (own, BLUE, "mated")):
            axes.stairs(counts / max(counts.sum(), 1), edges, fill=True, color=colour, alpha=0.35)
            axes.stairs(counts / max(counts.sum(), 1), edges, color=colour, label=label)
        for label, threshold in thresholds:
            axes.axvline(threshold, color="#1c2430", linewidth=1, linestyle="--")
            axes.annotate(
                label, (threshold, 0.98), xycoords=("data", "axes fraction"), rotation=90,
                va="top", ha="right", fontsize=9,
            )  # fmt: skip
        seen = np.flatnonzero(other + own)
        axes.set_xlim(edges[max(seen[0] - 2, 0)], edges[min(seen[-1] + 3, bins)])
        axes.set(
            yscale="log",
            xlabel="Comparison score (cosine similarity)",
            ylabel="Share of comparisons",
        )
        axes.legend(loc="upper left")
    return made[0]


def reliability_plot(reliability: Reliability) -> Figure:
    """Return stated against observed probability of a mate."""
    made: list[Figure] = []
    caption = (
        "Calibration: how often a comparison was mated, over the probability that its evidence "
        "states at even prior odds; on the diagonal the evidence means what it says. Expected "
        f"calibration error {reliability.expected_calibration_error:.4f}."
    )
    with _drawn("calibration", caption, made) as axes:
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1)
        axes.plot(reliability.stated, reliability.observed, color=BLUE, alpha=0.5)
        sizes = 20 + 300 * np.sqrt(reliability.weight)
        axes.scatter(reliability.stated, reliability.observed, s=sizes, color=BLUE)
        axes.set(xlabel="Stated probability of a mate", ylabel="Observed share of mates")
    return made[0]


def gallery_size_plot(
    name: str,
    sizes: NDArray[np.int64],
    measured: Sequence[tuple[str, NDArray[np.float64]]],
    stated: Sequence[tuple[str, NDArray[np.float64]]] = (),
) -> Figure:
    """Return FPIR over gallery size at fixed thresholds, measured and as an operating point says.

    Args:
        name: File name without ending.
        sizes: int64 (s,) gallery sizes.
        measured: Label and float64 (s,) FPIR of each threshold, NaN beyond what could be measured.
        stated: The same, as the operating point states it.
    """
    made: list[Figure] = []
    caption = (
        "False-positive identification rate over the number of people in the gallery, at fixed "
        "thresholds: a threshold that is safe for a small gallery is not for a large one. Points: "
        "measured, the mean over all galleries of that size drawn from these people. Lines: what "
        "the operating point states."
    )
    with _drawn(name, caption, made) as axes:
        colours = (BLUE, RED, GREEN, GREY)
        for (label, rates), colour in zip(measured, colours, strict=False):
            axes.plot(sizes, np.where(rates > 0, rates, np.nan), "o", color=colour, label=label)
        for (_, rates), colour in zip(stated, colours, strict=False):
            axes.plot(sizes, rates, color=colour)
        axes.set(
            xlabel="People in the gallery (N)",
            ylabel="False-positive identification rate (FPIR)",
        )
        _logarithmic(axes, True)
        axes.legend(loc="lower right")
    return made[0]


def _logarithmic(axes: Any, anything: bool) -> None:
    """Make both axes logarithmic; with nothing above 0 to show the second one stays linear."""
    axes.set_xscale("log")
    if anything:
        axes.set_yscale("log")


def cumulative_match_plot(cumulative: NDArray[np.float64], references_each: int) -> Figure:
    """Return the cumulative match characteristic for so many references a person."""
    made: list[Figure] = []
    caption = (
        "Cumulative match characteristic: the share of mated probes whose person is among the "
        "first R candidates, whatever their score."
    )
    with _drawn(f"cmc_{references_each}", caption, made) as axes:
        ranks = np.arange(1, len(cumulative) + 1)
        axes.plot(ranks, cumulative, "o-", color=BLUE, markersize=4)
        axes.set(xlabel="Rank R", ylabel="Share of mated probes")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(max(0.0, float(cumulative[0]) - 0.02), 1.001)
    return made[0]


def discard_plot(curves: Sequence[tuple[str, DiscardCurve]]) -> Figure:
    """Return error-versus-discard curves."""
    made: list[Figure] = []
    caption = (
        "Error versus discard: false non-matches left, as a share of all, when the pictures of "
        "least quality are discarded. Grey: a quality measure that knew nothing would discard "
        "errors no faster than comparisons."
    )
    with _drawn("discard", caption, made) as axes:
        grid = curves[0][1].discarded
        axes.plot(grid, (1 - grid) ** 2, color=GREY, linewidth=1, linestyle="--")
        # More measures than colours: the line's style tells those of one colour apart.
        styles = product(("-", ":", "-."), (BLUE, RED, GREEN))
        for (label, curve), (style, colour) in zip(curves, styles, strict=False):
            axes.step(
                curve.discarded,
                curve.left,
                where="post",
                color=colour,
                linestyle=style,
                label=label,
            )
        axes.set(xlabel="Share of pictures discarded", ylabel="False non-matches left")
        axes.legend()
    return made[0]


def precision_recall_plot(curves: Sequence[tuple[str, DetectionScores]]) -> Figure:
    """Return precision over recall of detectors at IoU .5."""
    made: list[Figure] = []
    caption = (
        "Detection at IoU .5: the share of claims that are faces over the share of faces found."
    )
    with _drawn("precision_recall", caption, made) as axes:
        for (label, judged), colour in zip(curves, (BLUE, RED, GREEN, GREY), strict=False):
            right = np.cumsum(judged.correct[np.argsort(-judged.scores, kind="stable")])
            claimed = np.arange(1, len(right) + 1)
            recall = right / max(len(judged.face_scores), 1)
            axes.plot(
                recall, right / claimed, color=colour, label=f"{label}: AP50 {judged.ap50:.4f}"
            )
        axes.set(xlabel="Recall", ylabel="Precision")
        axes.set_xlim(0, 1.005)
        axes.set_ylim(0, 1.005)
        axes.legend(loc="lower left")
    return made[0]


def _thinned(
    curve: ErrorCurve, points: int = 2000
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return FMR and FNMR where either changes, at most so many points, FMR descending."""
    changed = np.flatnonzero(
        np.diff(curve.fmr, prepend=np.nan) + np.diff(curve.fnmr, prepend=np.nan)
    )
    rows = np.arange(len(curve.fmr)) if not len(changed) else changed
    if len(rows) > points:
        # As many points a decade of FMR everywhere, so that the rare end keeps its shape.
        position = np.log(np.maximum(curve.fmr[rows], 1e-12))
        wanted = np.linspace(position[-1], position[0], points)
        rows = rows[np.unique(np.searchsorted(-position, -wanted[::-1]).clip(0, len(rows) - 1))]
    return curve.fmr[rows], curve.fnmr[rows]


def search_time_plot(
    name: str,
    templates: NDArray[np.int64],
    p50_ms: NDArray[np.float64],
    p99_ms: NDArray[np.float64],
) -> Figure:
    """Return the time of one search over the size of the gallery, both axes logarithmic.

    Args:
        name: File name without ending.
        templates: int64 (s,), ascending.
        p50_ms: float64 (s,), medians.
        p99_ms: float64 (s,), times that 99 of 100 searches keep to.
    """
    made: list[Figure] = []
    caption = "Time of one search over the number of templates searched."
    with _drawn(name, caption, made) as axes:
        axes.plot(templates, p50_ms, "o-", color=BLUE, label="median")
        axes.plot(templates, p99_ms, "o-", color=RED, label="99 of 100")
        axes.set(
            xlabel="Templates in the gallery", ylabel="Milliseconds", xscale="log", yscale="log"
        )
        axes.legend(loc="upper left")
    return made[0]
