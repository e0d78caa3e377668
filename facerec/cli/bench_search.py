"""``facerec bench search``: how long searching galleries of made-up people takes."""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.console import Json, emit, messages, output, stated_failures
from facerec.cli.progress import progress_over

if TYPE_CHECKING:
    from facerec.evaluation.search_benchmark import SearchTimes

__all__ = ["bench_search"]


Sizes = Annotated[
    list[int] | None,
    typer.Option(
        "--templates", min=1, help="Size of the gallery; may be repeated.  [default: 100000]"
    ),
]
Probes = Annotated[
    int, typer.Option("--probes", min=1, help="Searches of enrolled people, and of strangers.")
]
Size = Annotated[int, typer.Option("--size", min=2, help="Numbers in a template.")]
ApproximateFrom = Annotated[
    int,
    typer.Option(
        "--approximate-from",
        min=0,
        help="As the setting search.approximate_from; 0 for exact searches only.",
    ),
]
InMemory = Annotated[
    bool,
    typer.Option(
        "--in-memory",
        help="Make the index alone, without a database: for sizes that take too long to enrol.",
    ),
]
Plot = Annotated[
    Path | None, typer.Option("--plot", help="PNG file to draw the times over the sizes in.")
]


def bench_search(
    templates: Sizes = None,
    probes: Probes = 200,
    size: Size = 128,
    approximate_from: ApproximateFrom = 0,
    in_memory: InMemory = False,
    plot: Plot = None,
    json: Json = False,
) -> None:
    """Time searching a gallery of made-up people, and hold its answers against NumPy's.

    With --json, one object a size.
    """
    with stated_failures():
        if plot is not None:
            _require_folder(plot)
        every = []
        for count in sorted(templates or [100_000]):
            times = _measured(count, probes, size, approximate_from, in_memory=in_memory)
            every.append(times)
            if json:
                emit(asdict(times))
            else:
                output.print(_told(times))
        if plot is not None:
            _draw(plot, every)


def _measured(
    templates: int, probes: int, size: int, approximate_from: int, *, in_memory: bool
) -> "SearchTimes":
    from facerec.evaluation.search_benchmark import (
        fill_with_people,
        measure_index,
        measure_search,
    )
    from facerec.gallery.index.rules import IndexRules

    rules = IndexRules(approximate_from=approximate_from)
    if in_memory:
        with progress_over(templates, "Making people") as advance:
            return measure_index(templates, size, probes, rules=rules, told=advance)
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "gallery.db"
        with progress_over(templates, "Enrolling") as advance:
            embeddings = fill_with_people(path, templates, size, told=advance)
        with messages.status("Opening without a snapshot and with one, searching"):
            return measure_search(path, embeddings, probes, rules=rules)


def _told(times: "SearchTimes") -> str:
    opening = f"opening  {times.open_from_database_s:.2f} s from the database"
    if times.open_from_snapshot_s is not None:
        opening += f", {times.open_from_snapshot_s:.2f} s with a snapshot"
    else:
        opening = f"making   {times.open_from_database_s:.1f} s for the index, in memory alone"
    return (
        f"{times.templates} templates, {times.index}\n"
        f"search   {times.p50_ms:.2f} ms (median), {times.p99_ms:.2f} ms (99 of 100)\n"
        f"recall@1 {times.recall_at_1:.4f} against NumPy, of strangers "
        f"{times.recall_at_1_non_mated:.4f}; scores within {times.largest_score_error:.1e}\n"
        f"memory   {times.bytes_per_template:.0f} bytes a template\n"
        f"{opening}"
    )


def _require_folder(plot: Path) -> None:
    """Notice before long measurements that nothing could be drawn after them."""
    from facerec.errors import EvaluationError

    if not plot.parent.is_dir():
        raise EvaluationError(
            f"cannot write {plot}: there is no folder {plot.parent}; make it, or choose another"
        )


def _draw(path: Path, every: "list[SearchTimes]") -> None:
    import numpy as np

    from facerec.errors import EvaluationError
    from facerec.evaluation.report.plots import search_time_plot

    figure = search_time_plot(
        path.stem,
        np.array([times.templates for times in every]),
        np.array([times.p50_ms for times in every]),
        np.array([times.p99_ms for times in every]),
    )
    try:
        path.write_bytes(figure.png)
    except OSError as error:
        raise EvaluationError(
            f"cannot write {path}: {error.strerror}; choose another file"
        ) from error
