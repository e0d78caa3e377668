"""``facerec train run`` and ``resume``."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facerec.cli.console import Home, Json, emit, output, stated_failures
from facerec.cli.train_setup import (
    Backend,
    RunArgument,
    load_keras,
    start_file,
    teacher_of,
    telling,
)

if TYPE_CHECKING:
    from facerec.settings import Settings
    from facerec.training.curves import EpochRecord
    from facerec.training.record_file import ChipReader
    from facerec.training.run_folder import RunFolder
    from facerec.training.settings import TrainingSettings
    from facerec.training.views import Teacher

__all__ = ["resume", "run", "settings_given", "train_on"]


def run(
    data: Annotated[Path, typer.Argument(help="Prepared data.", show_default=False)],
    output_path: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the run.", show_default=False)
    ],
    settings_file: Annotated[
        Path | None, typer.Option("--settings", help="TOML file of training settings.")
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting, as epochs=5; may be given several times."),
    ] = None,
    backend: Backend = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Train a network; what is known of every setting: docs/training.md."""
    with stated_failures():
        from facerec.settings import load_settings
        from facerec.training.settings import settings_from

        chosen = settings_from(settings_given(settings_file, given or []))
        load_keras(backend)
        best = train_on(load_settings(home), data, output_path, chosen, json)
    _say(output_path, best, json)


def resume(
    folder: RunArgument, backend: Backend = None, home: Home = None, json: Json = False
) -> None:
    """Go on with a run that was stopped, as if it had never been."""
    with stated_failures():
        from facerec.settings import load_settings
        from facerec.training.run_folder import RunFolder

        run_folder = RunFolder(folder)
        reader = run_folder.data()
        load_keras(backend)
        settings = load_settings(home)
        _check_unchanged(settings, run_folder, reader)
        teacher = teacher_of(settings, run_folder.settings, reader)
        best = _go_on(settings, run_folder, reader, teacher, json)
    _say(folder, best, json)


def train_on(
    settings: "Settings", data: Path, output_path: Path, chosen: "TrainingSettings", quiet: bool
) -> "EpochRecord":
    """Begin a run and train to its end."""
    from facerec.training.record_file import ChipReader
    from facerec.training.run_folder import RunFolder
    from facerec.training.running import begin_run

    reader, folder = ChipReader(data), RunFolder(output_path)
    folder.refuse_used()
    reader.verify()
    start, space = start_file(settings, chosen.start)
    teacher = teacher_of(settings, chosen, reader)
    begin_run(folder, reader, chosen, start=start, start_space=space, teacher=teacher)
    return _go_on(settings, folder, reader, teacher, quiet)


def _go_on(
    settings: "Settings",
    folder: "RunFolder",
    reader: "ChipReader",
    teacher: "Teacher | None",
    quiet: bool,
) -> "EpochRecord":
    from facerec.training.running import go_on, steps_of

    chosen = folder.settings
    start, space = start_file(settings, chosen.start)
    with telling(quiet).bar(chosen.epochs * steps_of(reader, chosen)) as told:
        return go_on(folder, reader, told, start=start, start_space=space, teacher=teacher)


def _check_unchanged(settings: "Settings", folder: "RunFolder", reader: "ChipReader") -> None:
    """Refuse what cannot go on before the teacher is asked, which takes minutes."""
    from facerec.inference import ModelTask
    from facerec.models.store import ModelStore
    from facerec.training.run_identity import check_unchanged, identity_of

    chosen, store = folder.settings, ModelStore(settings.models_dir)
    start, taught = (
        store.require(name, ModelTask.EMBEDDER).embedding_space if name else ""
        for name in (chosen.start, chosen.teacher)
    )
    check_unchanged(folder, identity_of(reader, chosen, start, taught))


def settings_given(path: Path | None, given: list[str]) -> dict[str, Any]:
    """Read the settings of a file, and those of ``--set``, which go before them.

    Raises:
        TrainingError: the file cannot be read.
    """
    record, flags = _read(path), _parsed(given)
    inner = {**record.get("augmentation", {}), **flags.pop("augmentation", {})}
    return record | flags | ({"augmentation": inner} if inner else {})


def _say(folder: Path, best: "EpochRecord", json: bool) -> None:
    if json:
        emit({"run": folder, "best": best})
        return
    output.print(
        f"{folder}: best epoch {best.epoch}, equal error rate {best.eer:.4f} on people held out; "
        f"curves: {folder / 'curves.png'}; next: facerec train package {folder}",
        soft_wrap=True,
    )


def _read(path: Path | None) -> dict[str, Any]:
    from facerec.errors import TrainingError

    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TrainingError(f"{path} cannot be read as TOML: {error}") from error


def _parsed(given: list[str]) -> dict[str, Any]:
    """Read ``name=value`` settings; a value is TOML, or a bare word."""
    found: dict[str, Any] = {}
    for entry in given:
        name, equals, text = entry.partition("=")
        if not equals:
            raise typer.BadParameter(f"--set takes name=value; received {entry!r}")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        table, dot, inner = name.partition(".")
        if dot:
            found.setdefault(table, {})[inner] = value
        else:
            found[name] = value
    return found
