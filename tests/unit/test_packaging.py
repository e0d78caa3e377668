"""What a user's environment gets, and that the lock file keeps its promises."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


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
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", LOCK)
    entries = re.split(r"\n(?=[a-z])", LOCK.strip())
    assert len(entries) > 50
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    locked = {entry.split("==")[0] for entry in entries}
    wanted = names(PROJECT["project"]["dependencies"]) | names(PROJECT["dependency-groups"]["dev"])
    assert wanted <= locked


def test_exactly_one_provider_of_cv2_is_locked_and_installed() -> None:
    locked = re.findall(r"^(opencv[a-z-]*)==", LOCK, re.MULTILINE)
    assert locked == ["opencv-python-headless"]
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
