"""A trained network in one file: weights, preprocessing, space id, model card, calibration.

A package is a zip archive, uncompressed: ``package.json`` says what it is and the SHA-256 of every
other member. Written and read without Keras.
"""

import hashlib
import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from facerec.errors import ModelImportError
from facerec.inference import Alignment

__all__ = ["PACKAGE_SUFFIX", "ModelPackage", "read_package", "write_package"]

PACKAGE_SUFFIX = ".facerec"
WEIGHTS = "model.keras"
CARD = "MODEL_CARD.md"
CALIBRATION = "calibration.json"
_MEMBERS = (WEIGHTS, CARD, CALIBRATION)
_ABOUT = "package.json"
_FORMAT = 1


@dataclass(frozen=True)
class ModelPackage:
    """What a package says of itself.

    Attributes:
        name: Name of the network.
        architecture: Keras architecture.
        license: SPDX expression of the weights' licence.
        alignment: How chips are cut.
        embedding_size: Numbers in an embedding.
        embedding_space: Id of the space, in which the calibration was measured.
        files: SHA-256 by member.
    """

    name: str
    architecture: str
    license: str
    alignment: Alignment
    embedding_size: int
    embedding_space: str
    files: dict[str, str]


def write_package(output: BinaryIO, about: ModelPackage, members: dict[str, bytes]) -> None:
    """Write a package.

    Args:
        output: File to write into.
        about: All but the hashes, which are filled in.
        members: Content of `WEIGHTS` (a network that takes uint8 BGR), `CARD` and, where there is
            one, `CALIBRATION`.
    """
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    text = json.dumps({"format": _FORMAT, **asdict(about), "files": hashes}, indent=2)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        for name, data in {_ABOUT: text.encode(), **members}.items():
            # A fixed time: the same network gives the same file.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)


def read_package(path: Path, folder: Path) -> ModelPackage:
    """Check a package and lay its members into a folder.

    Args:
        path: The package.
        folder: Receives the members.

    Raises:
        ModelImportError: the file is no package, or a member is missing or has another hash.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            about = _about(json.loads(archive.read(_ABOUT)))
            for name, expected in about.files.items():
                data = archive.read(name)
                if hashlib.sha256(data).hexdigest() != expected:
                    raise ModelImportError(
                        f"{path.name} is damaged or was changed: {name} has another hash than "
                        f"{_ABOUT} says; get the package again"
                    )
                (folder / name).write_bytes(data)
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelImportError(
            f"{path.name} is not a whole package of a network; get it again, or make one with: "
            "facerec train package"
        ) from error
    return about


def _about(record: dict[str, Any]) -> ModelPackage:
    if record.pop("format") != _FORMAT or not set(record["files"]) <= set(_MEMBERS):
        raise ValueError("another format")
    if not {WEIGHTS, CARD} <= set(record["files"]):
        raise KeyError("members")
    alignment = record["alignment"]
    marks = tuple((float(x), float(y)) for x, y in alignment["landmarks_px"])
    record["alignment"] = Alignment(int(alignment["chip_size_px"]), marks)
    return ModelPackage(**record)
