"""The folder of installed networks. Reads and writes files; imports no Keras."""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from facerec.errors import ModelDamagedError, ModelNotFoundError
from facerec.inference import (
    Alignment,
    EmbeddingCentre,
    ModelManifest,
    ModelTask,
    Preprocessing,
)
from facerec.models.catalogue import CATALOGUE
from facerec.models.file_hash import sha256_of

__all__ = ["KERAS_FILE", "LITERT_FILE", "MANIFEST_FILE", "ModelStore"]

MANIFEST_FILE = "manifest.json"
LITERT_FILE = "model.tflite"
KERAS_FILE = "model.keras"

_NEW = ".new-"


class ModelStore:
    """Installed networks, one folder each: ``manifest.json`` and the files that it names.

    Args:
        models_dir: Folder of the networks; need not exist yet.
    """

    def __init__(self, models_dir: Path) -> None:
        self._dir = models_dir

    @property
    def cache_dir(self) -> Path:
        """Where downloaded package files are kept, beside the networks."""
        return self._dir.parent / "cache" / "packages"

    def installed(self) -> tuple[ModelManifest, ...]:
        """Return the manifests of all networks that can be read, by name; damaged ones left out."""
        manifests = []
        for name in self.names():
            try:
                manifests.append(self._read(name))
            except ModelDamagedError:
                continue
        return tuple(manifests)

    def names(self) -> tuple[str, ...]:
        """Return the names of all networks, whole or damaged."""
        return tuple(sorted(p.name for p in self._dir.glob("*") if p.is_dir() and _is_name(p.name)))

    def has(self, name: str) -> bool:
        """Tell whether there is anything under that name, whole or damaged."""
        return (self._dir / name).is_dir()

    def require(self, name: str, task: ModelTask) -> ModelManifest:
        """Return an installed network's manifest after checking the hash of its LiteRT file.

        Raises:
            ModelNotFoundError: not installed, or for another task.
            ModelDamagedError: the manifest or the LiteRT file is not what was installed.
        """
        if not _is_name(name) or not self.has(name):
            raise ModelNotFoundError(
                f"network {name} is not installed; run: facerec models pull {name}"
            )
        manifest = self._read(name)
        if manifest.task is not task:
            raise ModelNotFoundError(
                f"network {name} is of task {manifest.task}; one of task {task} is needed"
            )
        self._check(manifest, LITERT_FILE)
        return manifest

    def file(self, name: str, file_name: str) -> Path:
        """Return the path of a file of an installed network.

        Raises:
            ModelNotFoundError: the network is not installed.
            ModelDamagedError: it has no such file.
        """
        if not _is_name(name) or not self.has(name):
            raise ModelNotFoundError(
                f"network {name} is not installed; run: facerec models pull {name}"
            )
        path = self._dir / name / file_name
        if not path.is_file():
            raise ModelDamagedError(_damaged(name, f"has no file {file_name}"))
        return path

    def verify(self, name: str) -> ModelManifest:
        """Check the hash of every file of an installed network.

        Raises:
            ModelNotFoundError: not installed.
            ModelDamagedError: a file is missing or not what was installed.
        """
        self.file(name, MANIFEST_FILE)
        manifest = self._read(name)
        for file_name in manifest.files:
            self._check(manifest, file_name)
        return manifest

    def make(self) -> None:
        """Make the folder of networks; a home that is made with it is its owner's alone (0700)."""
        if not self._dir.parent.exists():
            self._dir.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        self._dir.mkdir(exist_ok=True)

    @contextmanager
    def new_folder(self) -> Iterator[Path]:
        """Give an empty folder beside the networks in which one can be made; removed at the end.

        What a killed process left behind is removed too.
        """
        self.make()
        with self._locked():
            self._remove_abandoned()
            workplace = Path(tempfile.mkdtemp(dir=self._dir, prefix=_NEW))
            held = (workplace / "lock").open("w")
            fcntl.flock(held, fcntl.LOCK_EX)  # let go of by the system if this process is killed
        try:
            folder = workplace / "model"
            folder.mkdir()
            yield folder
        finally:
            shutil.rmtree(workplace)
            held.close()

    def install(self, manifest: ModelManifest, folder: Path) -> None:
        """Put a finished folder of `new_folder` in its place, replacing an older one.

        Args:
            manifest: Is written into the folder first.
            folder: Holds the files that the manifest names; moved away.
        """
        text = json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n"
        (folder / MANIFEST_FILE).write_text(text, encoding="utf-8")
        for path in (*folder.iterdir(), folder):
            _flush(path)
        target = self._dir / manifest.name
        # Two writers take turns. A reader takes no lock: a file that he has open stays whole.
        with self._locked():
            if target.exists():
                os.rename(target, folder.with_name("replaced"))
            os.rename(folder, target)
            _flush(self._dir)

    def _remove_abandoned(self) -> None:
        """Remove workplaces whose lock nobody holds; call it locked."""
        for workplace in self._dir.glob(f"{_NEW}*"):
            with (workplace / "lock").open("w") as held:
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
            shutil.rmtree(workplace, ignore_errors=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._dir / ".lock").open("w") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)
            yield

    def _read(self, name: str) -> ModelManifest:
        path = self._dir / name / MANIFEST_FILE
        try:
            return _manifest(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelDamagedError(_damaged(name, "has a manifest that cannot be read")) from error

    def _check(self, manifest: ModelManifest, file_name: str) -> None:
        path = self.file(manifest.name, file_name)
        if sha256_of(path) != manifest.files.get(file_name):
            raise ModelDamagedError(
                _damaged(manifest.name, f"has a {file_name} that is not the one installed")
            )


def _flush(path: Path) -> None:
    """Bring a file's content, or a folder's entries, to the disk before anything relies on it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _damaged(name: str, fault: str) -> str:
    if name in {entry.name for entry in CATALOGUE}:
        return f"network {name} {fault}; run: facerec models pull {name} --force"
    return f"network {name} {fault}; import it again: facerec models import ... --force"


def _is_name(name: str) -> bool:
    """Tell whether a name can be that of a folder of ours, and nothing else."""
    return bool(name) and not name.startswith(".") and Path(name).name == name


def _manifest(record: dict[str, Any]) -> ModelManifest:
    """Build a manifest from its JSON form."""
    alignment = record["alignment"]
    preprocessing = record["preprocessing"]
    centre = record.get("centre")
    return ModelManifest(
        **{
            **record,
            "task": ModelTask(record["task"]),
            "preprocessing": Preprocessing(
                **{**preprocessing, "offset": tuple(preprocessing["offset"])}
            ),
            "alignment": None
            if alignment is None
            else Alignment(alignment["chip_size_px"], tuple(map(tuple, alignment["landmarks_px"]))),
            "files": dict(record["files"]),
            "centre": None
            if centre is None
            else EmbeddingCentre(**{**centre, "vector": tuple(map(float, centre["vector"]))}),
        }
    )
