"""``facerec models``: have networks, check them, give them out, bring your own."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.console import Home, Json, emit, fail, messages, output, stated_failures
from facerec.cli.stage_progress import stage_progress

if TYPE_CHECKING:
    from facerec.inference import Preprocessing
    from facerec.models.store import ModelStore

__all__ = ["models"]

models = typer.Typer(
    name="models", help="Networks: pull, list, verify, import, export.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="Name of a network, as `facerec models list` shows it.")]


def _store(home: Path | None) -> "ModelStore":
    from facerec.models.store import ModelStore
    from facerec.settings import load_settings

    return ModelStore(load_settings(home).models_dir)


@models.command()
def pull(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Networks to pull.  [default: yunet sface centerface]"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Pull the whole catalogue.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Convert and install anew what is there already.")
    ] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Download networks, convert them, compare them with their source, install them."""
    from facerec.models.catalogue import CATALOGUE, DEFAULT_NAMES
    from facerec.models.pull import pull as pull_networks

    if every and names:
        raise typer.BadParameter("give names or --all, not both")
    wanted = names or DEFAULT_NAMES
    if every:
        wanted = [entry.name for entry in CATALOGUE]
    with stated_failures(), stage_progress(quiet=json) as progress:
        pulled = pull_networks(wanted, _store(home), progress, force=force)
    if json:
        emit([_record(manifest.name, manifest.task, manifest.version) for manifest in pulled])
        return
    for manifest in pulled:
        output.print(f"{manifest.name}  {manifest.task}  {manifest.version}  {manifest.license}")


def _record(name: str, task: str, version: str) -> dict[str, str]:
    return {"name": name, "task": task, "version": version, "state": "installed"}


@models.command("list")
def list_(home: Home = None, json: Json = False) -> None:
    """List the catalogue and the imported networks, and which of them are installed."""
    from facerec.models.listing import list_models

    with stated_failures():
        listed = list_models(_store(home))
    if json:
        emit(list(listed))
        return
    rows = [("name", "task", "version", "license", "state", "embedding space")]
    rows += [
        (m.name, m.task, m.version, m.license, m.state, m.embedding_space or "") for m in listed
    ]
    # Whole lines however narrow the terminal is: ids are to be copied.
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        output.print("  ".join(cells).rstrip(), soft_wrap=True, markup=False)


@models.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Networks to check.  [default: all installed]")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Check that every file of installed networks is the one that was installed."""
    from facerec.errors import ModelDamagedError

    faults: list[str] = []
    with stated_failures():
        store = _store(home)
        checked = names or store.names()
        if not checked:
            fail("no network is installed; run: facerec models pull")
        for name in checked:
            try:
                store.verify(name)
            except ModelDamagedError as error:
                faults.append(name)
                messages.print(f"[bold red]facerec:[/] {error}", soft_wrap=True)
    if json:
        emit([{"name": name, "intact": name not in faults} for name in checked])
    else:
        for name in checked:
            output.print(f"{name}  {'damaged' if name in faults else 'intact'}")
    if faults:
        raise typer.Exit(1)


@models.command()
def export(
    name: Name,
    output_path: Annotated[
        Path, typer.Option("--output", "-o", help="File to write (a folder for saved_model).")
    ],
    target_format: Annotated[
        str, typer.Option("--format", help="litert, saved_model or onnx.")
    ] = "litert",
    home: Home = None,
    json: Json = False,
) -> None:
    """Write an installed network in a format that other runtimes read.

    It takes uint8 BGR images, (n, h, w, 3), and does its own preprocessing.
    """
    from facerec.models.export_network import ExportFormat, export_network

    if target_format not in list(ExportFormat):
        raise typer.BadParameter("--format is litert, saved_model or onnx")
    chosen = ExportFormat(target_format)
    with stated_failures(), stage_progress(quiet=json) as progress:
        written = export_network(name, _store(home), chosen, output_path, progress)
    if json:
        emit({"name": name, "format": chosen, "output": written})
    else:
        output.print(f"{name} written to {written}", soft_wrap=True)


Architecture = Annotated[
    str,
    typer.Option(
        "--architecture",
        help="Detectors: yunet or centerface, how the output is laid out. ONNX files: yunet, "
        "centerface, sface, iresnet18, iresnet50, iresnet100 or mobilefacenet. Else leave it.",
    ),
]
ColorOrder = Annotated[
    str | None, typer.Option("--color-order", help="bgr or rgb, for a network of floats.")
]
Offset = Annotated[
    str, typer.Option("--offset", help="Subtracted from 0..255: one number, or one a channel.")
]
ChipSize = Annotated[
    int, typer.Option("--chip-size", min=32, max=1024, help="Side of an embedder's chips.")
]
Landmarks = Annotated[
    str, typer.Option("--landmarks", help="Where chips have the landmarks: arcface or dlib.")
]
License = Annotated[str, typer.Option("--license", help="SPDX expression of the weights' licence.")]


@models.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help=".keras, .tflite, .onnx or .facerec file.")],
    name: Annotated[str | None, typer.Option("--name", help="Name the network is to have.")] = None,
    task: Annotated[str | None, typer.Option("--task", help="embedder or detector.")] = None,
    architecture: Architecture = "external",
    color_order: ColorOrder = None,
    offset: Offset = "0",
    scale: Annotated[float, typer.Option("--scale", help="Multiplied after that.")] = 1.0,
    chip_size: ChipSize = 112,
    landmarks: Landmarks = "arcface",
    license_: License = "LicenseRef-not-stated",
    force: Annotated[bool, typer.Option("--force", help="Replace one of that name.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Bring your own network: say what its pixels go through; it is tried before it is taken.

    A network that takes uint8 BGR does its own preprocessing; for one that takes floats, give
    --color-order, --offset and --scale: the input is (pixel - offset) * scale. A package of
    `facerec train package` says all this itself.
    """
    from facerec.inference import ModelTask
    from facerec.models.import_network import ImportRequest, import_network

    if path.suffix.lower() == ".facerec":
        _import_package(path, name, home, force, json)
        return
    if name is None or task is None or task not in list(ModelTask):
        raise typer.BadParameter("--name is needed, and --task, which is embedder or detector")
    stated = _preprocessing(color_order, offset, scale)
    request = ImportRequest(
        path, name, ModelTask(task), architecture, stated, chip_size, landmarks, license_
    )
    with stated_failures(), stage_progress(quiet=json) as progress:
        manifest = import_network(request, _store(home), progress, force=force)
    if json:
        emit({"name": name, "task": task, "embedding_space": manifest.embedding_space})
    else:
        output.print(f"{name} installed; use it with FACEREC_ANALYSIS__{task.upper()}={name}")


def _import_package(
    path: Path, name: str | None, home: Path | None, force: bool, json: bool
) -> None:
    """Install a package and keep its calibration as an operating point of the same name."""
    from facerec.decision.operating_point_file import operating_point_from_json
    from facerec.decision.operating_point_store import OperatingPointStore
    from facerec.models.import_network import import_package
    from facerec.settings import load_settings

    with stated_failures():
        settings = load_settings(home)
        store = _store(home)
        with stage_progress(quiet=json) as progress:
            manifest = import_package(path, store, name, progress, force=force)
        point = None
        if "calibration.json" in manifest.files:
            text = store.file(manifest.name, "calibration.json").read_text(encoding="utf-8")
            point = operating_point_from_json(text).fitting(manifest.embedding_space)
            points = OperatingPointStore(settings.operating_points_dir)
            points.add(replace(point, name=manifest.name), use=False)
    if json:
        emit(
            {
                "name": manifest.name,
                "task": manifest.task,
                "embedding_space": manifest.embedding_space,
                "operating_point": None if point is None else manifest.name,
            }
        )
        return
    then = (
        "; it has no calibration, so run: facerec calibrate"
        if point is None
        else f" and: facerec operating-points use {manifest.name}"
    )
    output.print(
        f"{manifest.name} installed; use it with FACEREC_ANALYSIS__EMBEDDER={manifest.name}{then}",
        soft_wrap=True,
    )


def _preprocessing(color_order: str | None, offset: str, scale: float) -> "Preprocessing | None":
    """Read the three options that go together."""
    from facerec.inference import Preprocessing

    if color_order is None:
        if offset != "0" or scale != 1.0:
            raise typer.BadParameter("--offset and --scale need --color-order")
        return None
    if color_order not in ("bgr", "rgb"):
        raise typer.BadParameter("--color-order is bgr or rgb")
    try:
        numbers = [float(part) for part in offset.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 3):
        raise typer.BadParameter("--offset is one number, or three with commas between")
    first, second, third = numbers * (3 // len(numbers))
    return Preprocessing(1, color_order, (first, second, third), scale)
