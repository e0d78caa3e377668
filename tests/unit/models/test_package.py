"""A package is taken whole and as it was written, or not at all."""

import json
import zipfile
from pathlib import Path

import pytest

from facerec.errors import ModelImportError
from facerec.models.catalogue import ARCFACE_ALIGNMENT
from facerec.models.package import (
    CALIBRATION,
    CARD,
    WEIGHTS,
    ModelPackage,
    read_package,
    write_package,
)

ABOUT = ModelPackage("ours", "sface", "LicenseRef-ours", ARCFACE_ALIGNMENT, 128, "ours-1", {})
MEMBERS = {WEIGHTS: b"weights " * 99, CARD: b"# ours", CALIBRATION: b"{}"}


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "ours.facerec"
    with path.open("wb") as opened:
        write_package(opened, ABOUT, MEMBERS)
    return path


def rewritten(package: Path, changes: dict[str, bytes | None]) -> Path:
    """Write a package anew, a sound archive, with other content for some of its members."""
    path = package.with_name("changed.facerec")
    with zipfile.ZipFile(package) as before, zipfile.ZipFile(path, "w") as after:
        for name in before.namelist():
            content = changes.get(name, before.read(name))
            if content is not None:
                after.writestr(name, content)
    return path


def test_what_was_written_is_read(whole: Path, tmp_path: Path) -> None:
    about = read_package(whole, tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in about.files} == MEMBERS
    assert (about.name, about.embedding_space, about.alignment) == (
        *("ours", "ours-1"),
        ARCFACE_ALIGNMENT,
    )


@pytest.mark.parametrize("member", [WEIGHTS, CARD, CALIBRATION])
def test_a_wrong_hash_is_named(whole: Path, tmp_path: Path, member: str) -> None:
    changed = rewritten(whole, {member: MEMBERS[member][:-1] + b"!"})
    with pytest.raises(ModelImportError, match=f"{member} has another hash than package.json says"):
        read_package(changed, tmp_path)
    assert not (tmp_path / member).exists()


def test_what_is_no_whole_package_is_refused(whole: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(whole) as archive:
        about = json.loads(archive.read("package.json"))
    elsewhere = {**about, "files": {**about["files"], "../outside": "0"}}
    no_card = {**about, "files": {WEIGHTS: about["files"][WEIGHTS]}}
    for changes in (
        {WEIGHTS: None},
        {"package.json": None},
        {"package.json": b"[]"},
        {"package.json": json.dumps({**about, "format": 2}).encode()},
        {"package.json": json.dumps(elsewhere).encode()},
        {"package.json": json.dumps(no_card).encode()},
    ):
        with pytest.raises(ModelImportError, match="is not a whole package of a network"):
            read_package(rewritten(whole, changes), tmp_path)
    half = whole.with_name("half.facerec")
    half.write_bytes(whole.read_bytes()[:500])
    with pytest.raises(ModelImportError, match=r"half.facerec is not a whole package"):
        read_package(half, tmp_path)
    assert not (tmp_path.parent / "outside").exists()
