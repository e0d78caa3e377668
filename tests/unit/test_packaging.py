"""What a user's environment gets, and that the lock file keeps its promises."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.lock_file import read_lock

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~;\[ ]", item)[0].lower() for item in requirements}


def test_every_dependency_has_a_lower_bound_and_its_line_of_justification() -> None:
    rows = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    explained = {
        name.strip()
        for row in re.findall(r"^\| ([a-z0-9 ,\-]+) \|", rows, re.MULTILINE)
        for name in row.split(",")
    } - {"package", "---"}
    runtime = PROJECT["project"]["dependencies"]
    dev = PROJECT["dependency-groups"]["dev"]
    assert all(">=" in requirement for requirement in runtime + dev)
    assert explained == names(runtime) | names(dev)


def test_lock_is_exact_hashed_and_names_no_registry() -> None:
    locked = {name for name, _ in read_lock(ROOT / "requirements.lock")}
    assert len(locked) > 50
    wanted = names(PROJECT["project"]["dependencies"]) | names(PROJECT["dependency-groups"]["dev"])
    assert wanted <= locked


def test_a_lock_that_names_a_place_or_lacks_a_hash_is_noticed(tmp_path: Path) -> None:
    good = f"numpy==2.1.0 ; python_full_version < '3.14' \\\n    --hash=sha256:{'0' * 64}\n"
    lock = tmp_path / "some.lock"
    lock.write_text(good)
    assert read_lock(lock) == {("numpy", "2.1.0")}
    for line in ("--extra-option=a.place.example", "scipy==1.0.0 \\", "scipy>=1.0", "-e ."):
        lock.write_text(good + line + "\n")
        with pytest.raises(AssertionError):
            read_lock(lock)


def test_exactly_one_provider_of_cv2_is_locked_and_installed() -> None:
    locked = {name for name, _ in read_lock(ROOT / "requirements.lock")}
    assert [name for name in locked if name.startswith("opencv")] == ["opencv-python-headless"]
    assert packages_distributions()["cv2"] == ["opencv-python-headless"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_wheel_installs_our_packages_and_no_package_named_services(
    wheel: zipfile.ZipFile,
) -> None:
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {
        "facerec",
        "facerec_identity",
        "facerec_monitor",
    }
    assert "facerec/py.typed" in wheel.namelist()
