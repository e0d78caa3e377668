"""The examples of docs/api.md, run as an integrator would: copied, with another address."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facerec_identity.security.caller import Role
from tests.integration.identity.server_process import ServerProcess, python
from tests.integration.identity.site import Site

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs/api.md").read_text("utf-8"), re.S)
FIRST, OVER_TLS = EXAMPLES


@pytest.fixture
def folder(tmp_path: Path, portraits: dict[str, bytes]) -> Path:
    (tmp_path / "probe.jpg").write_bytes(portraits["obama-2009"])
    return tmp_path


@pytest.fixture
def north(new_home: Callable[[], Path], folder: Path) -> Iterator[ServerProcess]:
    """A server with certificates and a gate, and the files of that gate in the folder."""
    site = Site.found(new_home())
    (site.home / "facerec.toml").write_text('[gates.main]\ngalleries = ["default"]\n', "utf-8")
    site.certify("north", [Role.GATE])
    for name in ("ca.crt", "north.crt", "north.key"):
        (folder / name).write_bytes((site.pki / name).read_bytes())
    with ServerProcess(site.home) as running:
        yield running


def output_of(example: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_calls(server: ServerProcess, obama: str, folder: Path) -> None:
    said = output_of(FIRST.replace("127.0.0.1:50051", server.address), folder)
    assert said == "identified Barack Obama ()\nNOT_FOUND GATE_NOT_FOUND\n"


def test_a_gate_over_tls(north: ServerProcess, folder: Path) -> None:
    said = output_of(OVER_TLS.replace("127.0.0.1:50052", north.address), folder)
    assert said == "unknown ('empty_gallery',)\n"


def test_a_session_through_reflection_asks_the_same(server: ServerProcess, obama: str) -> None:
    script = ROOT / "examples/reflection_session.py"
    listed = python(script, server.address, "list")
    assert "Identify(" in listed.stdout, listed.stderr
    request = '{"page_size": 10}'
    method = "facerec.v1.EnrollmentService/ListProfiles"
    assert request in (ROOT / "docs/api.md").read_text("utf-8")
    called = python(script, server.address, "call", method, request)
    assert "profiles/obama" in called.stdout, called.stderr
