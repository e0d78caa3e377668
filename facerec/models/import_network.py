"""Taking a user's own network: its file, its preprocessing as he states it, and a smoke check."""

import hashlib
import json
import re
import shutil
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from facerec.errors import FaceRecError, ModelDamagedError, ModelImportError
from facerec.inference import Alignment, ModelManifest, ModelTask, Preprocessing
from facerec.inference.litert_session import LiteRtSession
from facerec.models.catalogue import ALIGNMENTS, CATALOGUE, embedding_space
from facerec.models.file_hash import sha256_of
from facerec.models.package import ModelPackage, read_package
from facerec.models.progress import Progress, Silent
from facerec.models.smoke_check import check_detector, check_embedder
from facerec.models.store import KERAS_FILE, LITERT_FILE, ModelStore
from facerec.models.workshop import ConvertEmbedderJob, ConvertJob, ImportKerasJob, Job, Workshop

__all__ = [
    "ImportRequest", "check_name", "import_network", "import_package", "imported_space",
    "weights_hash",
]  # fmt: skip

DETECTOR_ARCHITECTURES = ("yunet", "centerface")
EMBEDDER_LAYOUTS = ("iresnet18", "iresnet50", "iresnet100", "mobilefacenet")
"""ONNX layouts that public ArcFace and AdaFace training code exports."""
ONNX_ARCHITECTURES = ("yunet", "centerface", "sface", *EMBEDDER_LAYOUTS)
EXTERNAL = "external"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True)
class ImportRequest:
    """What a user says of his network.

    Attributes:
        path: ``.keras``, ``.tflite`` or ``.onnx`` file.
        name: Name it is to have here.
        task: Detector or embedder.
        architecture: For a detector ``"yunet"`` or ``"centerface"``, which say how its output is
            laid out; for an ONNX file the network it is; else ``"external"``.
        preprocessing: What pixels must go through before the network, which then takes float32;
            None for a network that takes uint8 BGR and does its own, and for an ONNX file of a
            known network, whose preprocessing is known.
        chip_size_px: Side of an embedder's chips.
        landmarks: Template in `ALIGNMENTS` that an embedder's chips are aligned to.
        license: SPDX expression of the weights' licence.
    """

    path: Path
    name: str
    task: ModelTask
    architecture: str = EXTERNAL
    preprocessing: Preprocessing | None = None
    chip_size_px: int = 112
    landmarks: str = "arcface"
    license: str = "LicenseRef-not-stated"


def import_network(
    request: ImportRequest,
    store: ModelStore,
    progress: Progress | None = None,
    *,
    force: bool = False,
) -> ModelManifest:
    """Convert a user's network if need be, try it, and install it.

    Args:
        request: The network and what is known of it.
        store: Where to install.
        progress: Told of every stage.
        force: Replace an installed network of that name.

    Raises:
        ModelImportError: the network cannot be taken; nothing was installed.
    """
    progress = progress or Silent()
    _check_request(request, store, force)
    with store.new_folder() as folder:
        progress.stage(f"reading {request.path.name}")
        preprocessing = _export(request, folder)
        progress.stage(f"trying {request.name}")
        manifest = _tried(request, preprocessing, folder)
        store.install(manifest, folder)
    return manifest


def import_package(
    path: Path,
    store: ModelStore,
    name: str | None = None,
    progress: Progress | None = None,
    *,
    force: bool = False,
) -> ModelManifest:
    """Check and install a package of ``facerec train package``.

    Args:
        path: The package.
        store: Where to install.
        name: Name it is to have; None for its own.
        progress: Told of every stage.
        force: Replace an installed network of that name.

    Returns:
        The manifest; the model card, and the calibration where the package has one, are among its
        files.

    Raises:
        ModelImportError: the package is damaged or its network cannot be taken; nothing was
            installed.
    """
    progress = progress or Silent()
    if not path.is_file():
        raise ModelImportError(f"there is no file {path}")
    with tempfile.TemporaryDirectory() as scratch, store.new_folder() as folder:
        progress.stage(f"checking {path.name}")
        about = read_package(path, Path(scratch))
        request = _request_of(about, Path(scratch), name)
        _check_name(request.name, store, force)
        _check_space(about, request, path)
        progress.stage(f"exporting {request.name}")
        tried = _tried(request, _export(request, folder), folder)
        manifest = _with_package(tried, about, path, Path(scratch), folder)
        store.install(manifest, folder)
    return manifest


def _request_of(about: ModelPackage, scratch: Path, name: str | None) -> ImportRequest:
    return ImportRequest(
        scratch / KERAS_FILE,
        name or about.name,
        ModelTask.EMBEDDER,
        chip_size_px=about.alignment.chip_size_px,
        license=about.license,
    )


def _check_space(about: ModelPackage, request: ImportRequest, path: Path) -> None:
    space = imported_space(about.name, sha256_of(request.path), about.alignment)
    if about.embedding_space != space:
        raise ModelImportError(
            f"{path.name} names the embedding space {about.embedding_space}, but its weights "
            f"and alignment make {space}; get the package again"
        )


def _with_package(
    tried: ModelManifest, about: ModelPackage, path: Path, scratch: Path, folder: Path
) -> ModelManifest:
    """Lay what a package holds beside weights into a folder; return the manifest that names it."""
    extra = [member for member in about.files if member != KERAS_FILE]
    for member in extra:
        shutil.copyfile(scratch / member, folder / member)
    return replace(
        tried,
        architecture=about.architecture,
        source=f"package {path.name}",
        alignment=about.alignment,
        embedding_space=about.embedding_space,
        files=tried.files | {member: sha256_of(folder / member) for member in extra},
    )


def imported_space(name: str, weights_sha256: str, alignment: Alignment) -> str:
    """Return the space id of a network that takes uint8 BGR and does its own preprocessing."""
    return _space(name, weights_sha256, _OWN, alignment)


def _check_request(request: ImportRequest, store: ModelStore, force: bool) -> None:
    """Refuse what cannot work before any work is done."""
    _check_name(request.name, store, force)
    if not request.path.is_file():
        raise ModelImportError(f"there is no file {request.path}")
    kind = request.path.suffix.lower()
    if kind not in (".keras", ".tflite", ".onnx"):
        raise ModelImportError(
            f"{request.path.name} is not a .keras, .tflite or .onnx file; convert it to one of them"
        )
    if kind == ".onnx" and request.architecture not in ONNX_ARCHITECTURES:
        raise ModelImportError(
            "an ONNX file is taken when it holds a known network: give --architecture "
            f"{', '.join(ONNX_ARCHITECTURES)}; convert any other to .tflite or .keras"
        )
    is_detector = request.architecture in DETECTOR_ARCHITECTURES
    if is_detector != (request.task is ModelTask.DETECTOR):
        raise ModelImportError(
            f"architecture {request.architecture} does not fit task {request.task}; a detector is "
            f"{' or '.join(DETECTOR_ARCHITECTURES)}"
        )
    if request.landmarks not in ALIGNMENTS:
        raise ModelImportError(
            f"there is no landmark template {request.landmarks}; there are {', '.join(ALIGNMENTS)}"
        )


def check_name(name: str) -> None:
    """Refuse what cannot be a network's name.

    Raises:
        ModelImportError: it cannot, or it is a name of the catalogue.
    """
    if not _NAME.fullmatch(name):
        raise ModelImportError(
            f"{name!r} cannot be a network's name: take a to z, digits, dot, dash and underscore, "
            "a letter or digit first"
        )
    if name in {entry.name for entry in CATALOGUE}:
        raise ModelImportError(f"{name} is a network of the catalogue; take another name")


def _check_name(name: str, store: ModelStore, force: bool) -> None:
    check_name(name)
    if store.has(name) and not force:
        raise ModelImportError(
            f"there is a network {name} already; take another name or give --force"
        )


def _export(request: ImportRequest, folder: Path) -> Preprocessing:
    """Make ``model.tflite`` (and ``model.keras``); return the preprocessing to record."""
    makers = {".tflite": _take_litert, ".onnx": _convert_onnx, ".keras": _export_keras}
    return makers[request.path.suffix.lower()](request, folder)


def _take_litert(request: ImportRequest, folder: Path) -> Preprocessing:
    if request.preprocessing is not None and request.task is ModelTask.DETECTOR:
        raise ModelImportError(
            "a detector as .tflite must take uint8 BGR and do its own preprocessing"
        )
    shutil.copyfile(request.path, folder / LITERT_FILE)
    stated = request.preprocessing
    return _OWN if stated is None else replace(stated, in_network=False)


def _convert_embedder(request: ImportRequest, folder: Path) -> Preprocessing:
    stated = request.preprocessing or _USUAL
    job = ConvertEmbedderJob(
        request.name,
        request.architecture,
        str(request.path),
        str(folder),
        stated.color_order,
        stated.offset,
        stated.scale,
        request.chip_size_px,
    )
    try:
        _do(job)
    except ModelDamagedError as error:
        raise ModelImportError(str(error)) from error
    return stated


def _convert_onnx(request: ImportRequest, folder: Path) -> Preprocessing:
    if request.architecture in EMBEDDER_LAYOUTS:
        return _convert_embedder(request, folder)
    known = next(e for e in CATALOGUE if e.architecture == request.architecture)
    if request.preprocessing not in (None, known.preprocessing):
        raise ModelImportError(
            f"the preprocessing of {request.architecture} is known and is another; leave out "
            "--color-order, --offset and --scale"
        )
    job = ConvertJob(request.name, request.architecture, str(request.path), str(folder))
    try:
        _do(job)
    except ModelDamagedError as error:
        raise ModelImportError(str(error)) from error
    return known.preprocessing


def _export_keras(request: ImportRequest, folder: Path) -> Preprocessing:
    stated = request.preprocessing
    job = ImportKerasJob(
        name=request.name,
        source=str(request.path),
        folder=str(folder),
        color_order=stated.color_order if stated else None,
        offset=stated.offset if stated else (0.0, 0.0, 0.0),
        scale=stated.scale if stated else 1.0,
        chip_size_px=request.chip_size_px if request.task is ModelTask.EMBEDDER else None,
    )
    _do(job)
    return stated or _OWN


def _do(job: Job) -> None:
    with Workshop() as workshop:
        workshop.do(job)


_OWN = Preprocessing(1, "bgr", (0.0, 0.0, 0.0), 1.0)
"""Of a network that takes uint8 BGR: what it does inside is its own affair."""
_USUAL = Preprocessing(1, "rgb", (127.5, 127.5, 127.5), 1 / 127.5)
"""Of InsightFace's ArcFace code; AdaFace's takes BGR."""


def _tried(request: ImportRequest, preprocessing: Preprocessing, folder: Path) -> ModelManifest:
    """Try the exported network and describe it."""
    try:
        session = LiteRtSession(folder / LITERT_FILE, 2)
    except FaceRecError as error:
        raise ModelImportError(f"{request.path.name} gives no network that LiteRT runs") from error
    weights_sha256 = weights_hash(request.path)
    alignment, size, space = None, 0, ""
    if request.task is ModelTask.DETECTOR:
        check_detector(session, request.architecture, preprocessing)
    else:
        size = check_embedder(session, preprocessing, request.chip_size_px)
        alignment = _alignment(request)
        space = _space(request.name, weights_sha256, preprocessing, alignment)
    made = [name for name in (LITERT_FILE, KERAS_FILE) if (folder / name).is_file()]
    return ModelManifest(
        name=request.name,
        task=request.task,
        architecture=request.architecture,
        version=weights_sha256[:12],
        license=request.license,
        source=f"imported from a {request.path.suffix.lower()} file",
        weights_sha256=weights_sha256,
        preprocessing=preprocessing,
        alignment=alignment,
        embedding_size=size,
        embedding_space=space,
        files={name: sha256_of(folder / name) for name in made},
    )


def weights_hash(path: Path) -> str:
    """Return the SHA-256 of a network's file, and of those in which an ONNX file keeps weights.

    Raises:
        ModelImportError: one of these is missing.
    """
    if path.suffix.lower() != ".onnx":
        return sha256_of(path)
    from facerec.models.conversion.onnx_graph import external_files

    beside = external_files(path)
    if not beside:
        return sha256_of(path)
    return hashlib.sha256("".join(map(sha256_of, (path, *beside))).encode()).hexdigest()


def _alignment(request: ImportRequest) -> Alignment:
    """Scale the landmark template to the chip's size."""
    template = ALIGNMENTS[request.landmarks]
    scale = request.chip_size_px / template.chip_size_px
    points = tuple((x * scale, y * scale) for x, y in template.landmarks_px)
    return Alignment(request.chip_size_px, points)


def _space(
    name: str, weights_sha256: str, preprocessing: Preprocessing, alignment: Alignment
) -> str:
    """Return an id that differs when the weights, the preprocessing or the alignment differ."""
    stated = json.dumps([weights_sha256, asdict(preprocessing), asdict(alignment)], sort_keys=True)
    return embedding_space(name, hashlib.sha256(stated.encode()).hexdigest(), preprocessing)
