"""``facerec train evaluate``: one run, or two on the same pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facerec.cli.console import Home, Json, emit, output, stated_failures
from facerec.cli.train_setup import Backend, RunArgument, load_keras, start_of

if TYPE_CHECKING:
    from facerec.evaluation.metrics.bootstrap import Interval
    from facerec.evaluation.pictures.pairs_file import LabelledPairs
    from facerec.evaluation.protocols.verification import PairsResult
    from facerec.settings import Settings
    from facerec.training.evaluating import EmbeddedPeople
    from facerec.training.judging import Verdict
    from facerec.training.run_folder import RunFolder

__all__ = ["evaluate", "verdict_record"]

DRAWS = 500
"""Draws of people for the intervals that are stated."""


@dataclass(frozen=True, eq=False)
class _Judged:
    """What a run showed on people it has never learned from."""

    verdict: "Verdict"
    labelled: "LabelledPairs | None"
    pairs: "PairsResult | None"


def evaluate(
    folder: RunArgument,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Data of other people.  [default: those held out]"),
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option("--pairs", help="Labelled pairs of these people, as LFW's.")
    ] = None,
    fold: Annotated[int, typer.Option("--fold", min=1, help="Fold of the pairs.")] = 1,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="Folder of another run, judged on the same pictures."),
    ] = None,
    backend: Backend = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Judge the best weights of a run on people it has never learned from."""
    with stated_failures():
        from facerec.settings import load_settings
        from facerec.training.run_folder import RunFolder

        _check(data, pairs, against)
        runs = [RunFolder(path) for path in (folder, against) if path is not None]
        _ = [run.record for run in runs]  # refused before Keras is loaded, which takes seconds
        load_keras(backend)
        settings = load_settings(home)
        found = [_judged(settings, run, data, pairs, fold) for run in runs]
        record = _record(found[0])
        if against is not None:
            record |= {"against": {"run": str(against), **_record(found[1])}}
            record |= {"difference": _difference(found[0], found[1])}
    if json:
        emit(record)
        return
    for name, value in record.items():
        output.print(f"{name}: {value}", soft_wrap=True, markup=False)


def _check(data: Path | None, pairs: Path | None, against: Path | None) -> None:
    from facerec.errors import TrainingError

    for option, given in (("--pairs", pairs), ("--against", against)):
        if given is not None and data is None:
            raise TrainingError(f"{option} needs --data with the chips of people to judge on")


def _judged(
    settings: "Settings", folder: "RunFolder", data: Path | None, pairs: Path | None, fold: int
) -> _Judged:
    from facerec.training.evaluating import judge_pairs, pairs_of_fold
    from facerec.training.judging import judge

    people = _embedded(settings, folder, data)
    verdict = judge(people.embeddings, people.people, draws=DRAWS)
    if pairs is None:
        return _Judged(verdict, None, None)
    labelled = pairs_of_fold(people, pairs, fold)
    return _Judged(verdict, labelled, judge_pairs(people, labelled))


def _embedded(settings: "Settings", folder: "RunFolder", data: Path | None) -> "EmbeddedPeople":
    from facerec.training.evaluating import embed_people, refuse_shared_people
    from facerec.training.record_file import ChipReader
    from facerec.training.run_network import best_network
    from facerec.training.running import held_out, learned_from

    chosen = folder.settings
    own = folder.data()
    network = best_network(folder, start_of(settings, folder))
    side = int(network.input_shape[1])
    if data is None:
        return embed_people(network.predict_on_batch, side, own, held_out(own, chosen))
    other = ChipReader(data)
    refuse_shared_people(other, own, learned_from(own, chosen))
    return embed_people(network.predict_on_batch, side, other)


def _record(found: _Judged) -> dict[str, Any]:
    record = verdict_record(found.verdict)
    if found.pairs is None:
        return record
    return record | {
        "pairs": len(found.pairs.scores),
        "accuracy": found.pairs.accuracy.mean,
        "accuracy_interval": _ends(found.pairs.interval),
        "pairs_without_a_face": found.pairs.failed,
    }


def _difference(found: _Judged, against: _Judged) -> dict[str, Any]:
    """Return how much higher each rate of the run is than the other's, on the same draws."""
    from facerec.evaluation.metrics.paired import verification_differences
    from facerec.evaluation.protocols.verification import pairs_difference
    from facerec.training.judging import STATED_FMR

    one, other = found.verdict, against.verdict
    ends = verification_differences(other.comparisons, one.comparisons, (STATED_FMR,), draws=DRAWS)
    record: dict[str, Any] = {
        "eer": one.eer - other.eer,
        "eer_interval": _ends(ends.get("eer")),
        "tar_at_fmr_0.01": one.tar - other.tar,
        "tar_interval": _ends(ends.get("tar_at_far:1e-2")),
    }
    if found.pairs is not None and against.pairs is not None and found.labelled is not None:
        gain = pairs_difference(against.pairs, found.pairs, found.labelled)
        record["accuracy"] = found.pairs.accuracy.mean - against.pairs.accuracy.mean
        record["accuracy_interval"] = _ends(gain)
    return record


def verdict_record(verdict: "Verdict") -> dict[str, Any]:
    """Return the JSON form of a verdict."""
    return {
        "people": verdict.people,
        "pictures": verdict.pictures,
        "mated_comparisons": verdict.mated,
        "eer": verdict.eer,
        "eer_interval": _ends(verdict.eer_interval),
        "tar_at_fmr_0.01": verdict.tar,
        "tar_interval": _ends(verdict.tar_interval),
        "chance": {"eer": 0.5, "tar_at_fmr_0.01": 0.01, "accuracy": 0.5},
    }


def _ends(interval: "Interval | None") -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
