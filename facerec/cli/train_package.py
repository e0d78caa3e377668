"""``facerec train package`` and ``adapt``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facerec.cli.console import Home, Json, emit, output, stated_failures
from facerec.cli.train_evaluate import verdict_record
from facerec.cli.train_run import settings_given, train_on
from facerec.cli.train_setup import Backend, RunArgument, load_keras, start_of

if TYPE_CHECKING:
    from facerec.settings import Settings
    from facerec.training.judging import Verdict
    from facerec.training.packaging import PackageStatement
    from facerec.training.record_file import ChipReader
    from facerec.training.run_folder import RunFolder

__all__ = ["adapt", "package"]

Guard = Annotated[
    Path | None,
    typer.Option(
        "--guard", help="Data of still other people, on whom an adapted network must be no worse."
    ),
]


def package(
    folder: RunArgument,
    name: Annotated[str, typer.Option("--name", help="Name of the network.", show_default=False)],
    output_path: Annotated[
        Path | None, typer.Option("--output", "-o", help="File.  [default: NAME.facerec]")
    ] = None,
    license_: Annotated[
        str, typer.Option("--license", help="SPDX expression of the weights' licence.")
    ] = "LicenseRef-not-stated",
    use: Annotated[
        str, typer.Option("--use", help="What it is meant for, in words.")
    ] = "access control by consenting people, measured on their own cameras first",
    guard: Guard = None,
    backend: Backend = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Put the best weights of a run, their accuracy and their thresholds into one file."""
    path = output_path or Path(f"{name}.facerec")
    with stated_failures():
        from facerec.models.import_network import check_name

        check_name(name)
        load_keras(backend)
        from facerec.settings import load_settings
        from facerec.training.packaging import PackageStatement
        from facerec.training.run_folder import RunFolder

        statement = PackageStatement(name, license_, use, datetime.now(UTC).date().isoformat())
        run = RunFolder(folder)
        verdict = _packaged(load_settings(home), run, statement, path, guard)
    if json:
        emit({"package": path, "name": name, **verdict_record(verdict)})
    else:
        output.print(
            f"{path}: equal error rate {verdict.eer:.4f} on {verdict.people} people held out; "
            f"next: facerec models import {path}",
            soft_wrap=True,
        )


def adapt(
    embedder: Annotated[str, typer.Argument(help="Installed embedder.", show_default=False)],
    data: Annotated[Path, typer.Argument(help="Prepared data.", show_default=False)],
    output_path: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the run.", show_default=False)
    ],
    depth: Annotated[
        int, typer.Option("--depth", min=0, help="Last layers that may change; 0 for all.")
    ] = 3,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting, as epochs=5; may be given several times."),
    ] = None,
    guard: Guard = None,
    backend: Backend = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Fit an installed embedder to your pictures, held to what it was by itself as teacher."""
    with stated_failures():
        from facerec.settings import load_settings
        from facerec.training.settings import settings_from

        settings = load_settings(home)
        chosen = settings_from(
            _adapting(settings, embedder, depth) | settings_given(None, given or [])
        )
        load_keras(backend)
        train_on(settings, data, output_path, chosen, json)
        record = _compared(settings, output_path, guard)
    if json:
        emit({"run": output_path, **record})
    else:
        _say_compared(record)


def _adapting(settings: "Settings", embedder: str, depth: int) -> dict[str, Any]:
    """Return the settings with which an installed embedder is adapted if nothing else is said."""
    from facerec.errors import TrainingError
    from facerec.inference import ModelTask
    from facerec.models.store import ModelStore

    manifest = ModelStore(settings.models_dir).require(embedder, ModelTask.EMBEDDER)
    if manifest.alignment is None:
        raise TrainingError(f"network {embedder} has no alignment; import it again")
    return {
        "network": manifest.architecture,
        "start": embedder,
        "teacher": embedder,
        "cosine_weight": 10.0,
        "depth": depth,
        "chip_size_px": manifest.alignment.chip_size_px,
        "embedding_size": manifest.embedding_size,
        "loss": "cosface",
        "scale": 32.0,
        "margin": 0.2,
        "label_weight": 0.1,
        "optimizer": "adamw",
        "learning_rate": 1e-4,
        "weight_decay": 0.0,
        "warmup_epochs": 0.5,
        "clip_norm": 1.0,
        "epochs": 3,
        "batch_size": 32,
        "held_out_share": 0.3,
    }


def _compared(settings: "Settings", path: Path, guard: Path | None) -> dict[str, Any]:
    """Judge start and adapted network on people neither was adapted to."""
    from facerec.training.run_folder import RunFolder

    folder = RunFolder(path)
    return {
        where: {"before": verdict_record(before), "after": verdict_record(after)}
        for where, (before, after) in _verdicts(settings, folder, guard).items()
    }


def _say_compared(record: dict[str, Any]) -> None:
    for where, found in record.items():
        before, after = found["before"], found["after"]
        output.print(
            f"{where}: equal error rate {before['eer']:.4f} -> {after['eer']:.4f}, true accepts at "
            f"FMR 1 % {before['tar_at_fmr_0.01']:.4f} -> {after['tar_at_fmr_0.01']:.4f}",
            soft_wrap=True,
        )


def _verdicts(
    settings: "Settings", folder: "RunFolder", guard: Path | None
) -> "dict[str, tuple[Verdict, Verdict]]":
    """Return the start's and the adapted network's verdict by the name of who was judged on."""
    from facerec.training.evaluating import refuse_shared_people
    from facerec.training.record_file import ChipReader
    from facerec.training.run_network import best_network, build_network
    from facerec.training.running import held_out, learned_from

    chosen = folder.settings
    start = start_of(settings, folder)
    own = folder.data()
    networks = (build_network(chosen, start), best_network(folder, start))
    found = {}
    rows = held_out(own, chosen)
    found["people held out"] = (_verdict(networks[0], own, rows), _verdict(networks[1], own, rows))
    if guard is not None:
        other = ChipReader(guard)
        refuse_shared_people(other, own, learned_from(own, chosen))
        found["the guard's people"] = (
            _verdict(networks[0], other, None),
            _verdict(networks[1], other, None),
        )
    return found


def _verdict(network: Any, reader: "ChipReader", rows: Any) -> "Verdict":
    from facerec.training.evaluating import embed_people
    from facerec.training.judging import judge

    people = embed_people(network.predict_on_batch, int(network.input_shape[1]), reader, rows)
    return judge(people.embeddings, people.people)


def _packaged(
    settings: "Settings",
    folder: "RunFolder",
    statement: "PackageStatement",
    path: Path,
    guard: Path | None,
) -> "Verdict":
    from facerec.errors import TrainingError
    from facerec.training.evaluating import embed_people
    from facerec.training.packaging import package as write
    from facerec.training.packaging import refuse_existing, refuse_worse
    from facerec.training.run_network import best_network
    from facerec.training.running import held_out

    refuse_existing(path)  # before anything is judged, which takes minutes
    chosen = folder.settings
    if chosen.start:
        for where, (before, after) in _verdicts(settings, folder, guard).items():
            refuse_worse(before, after, where)
    elif guard is not None:
        raise TrainingError("--guard is for an adapted network; this one began with random weights")
    reader = folder.data()
    network = best_network(folder, start_of(settings, folder))
    network.trainable = True
    side = int(network.input_shape[1])
    people = embed_people(network.predict_on_batch, side, reader, held_out(reader, chosen))
    return write(network, reader.description, people, folder.record, statement, path)
