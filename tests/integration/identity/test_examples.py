"""The programs of examples/, as an integrator runs them, against servers without and with TLS."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facerec.client import GateClient
from facerec_identity.security.caller import Role
from tests.conftest import ROOT
from tests.integration.identity import pictures
from tests.integration.identity.server_process import ServerProcess, python
from tests.integration.identity.site import Site, free_address

GATE = ROOT / "examples/gate_client.py"
SESSION = ROOT / "examples/reflection_session.py"
STATISTICS = ("call", "facerec.v1.AdminService/GetStatistics", "{}")

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def site(new_home: Callable[[], Path]) -> Site:
    found = Site.found(new_home())
    (found.home / "facerec.toml").write_text('[gates.main]\ngalleries = ["default"]\n', "utf-8")
    return found


@pytest.fixture(scope="module")
def token_address() -> str:
    return free_address()


@pytest.fixture(scope="module")
def guarded(site: Site, token_address: str, portraits: dict[str, bytes]) -> Iterator[ServerProcess]:
    with ServerProcess(site.home, FACEREC_SERVER__TOKEN_LISTEN=token_address) as running:
        with GateClient(running.address, timeout_s=60, tls=site.tls("enroller")) as desk:
            desk.enrol("Barack Obama", [portraits["obama-2012"]], profile_id="obama")
        yield running


def shown(site: Site, role: Role) -> tuple[str | Path, ...]:
    """The options that show the certificate of a role."""
    own = site.pki / f"{role.value}.crt"
    return "--ca", site.pki / "ca.crt", "--cert", own, "--key", own.with_suffix(".key")


@pytest.mark.parametrize(
    ("picture", "code", "line"),
    [
        ("obama-2009", 0, "granted: Barack Obama (obama)"),
        ("collins", 1, "unknown: below_threshold"),
        ("nobody", 1, "retry: no_face"),
    ],
)
def test_a_gate(
    site: Site,
    guarded: ServerProcess,
    portraits: dict[str, bytes],
    tmp_path: Path,
    picture: str,
    code: int,
    line: str,
) -> None:
    """What it prints and how it exits, for each answer."""
    path = tmp_path / "probe.jpg"
    path.write_bytes(pictures.nobody() if picture == "nobody" else portraits[picture])
    done = gate(path, guarded.address, *shown(site, Role.GATE))
    assert (done.returncode, done.stdout.strip()) == (code, line), done.stderr


def gate(picture: Path, address: str, *options: str | Path, name: str = "main") -> Done:
    return python(GATE, picture, "--gate", name, "--server", address, *options)


def test_a_gate_that_gets_no_answer_stays_shut_and_says_why(
    site: Site, guarded: ServerProcess, server: ServerProcess, tmp_path: Path
) -> None:
    broken, certificate = tmp_path / "broken.jpg", shown(site, Role.GATE)
    broken.write_bytes(b"broken")
    for done, said in (
        (gate(broken, guarded.address, *certificate), "INVALID_ARGUMENT IMAGE_INVALID"),
        (gate(broken, guarded.address, *certificate, name="side"), "PERMISSION_DENIED"),
        (gate(broken, guarded.address, *certificate[:2]), "UNAUTHENTICATED CERTIFICATE_REFUSED"),
        (gate(broken, guarded.address), "connect with TLS"),
        (gate(broken, server.address), "NOT_FOUND GATE_NOT_FOUND"),
        (gate(broken, server.address, "--ca", broken), "no certificate of an authority"),
        (gate(tmp_path / "none.jpg", server.address), "none.jpg"),
    ):
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
        assert done.stderr.startswith("error") and "Traceback" not in done.stderr


def test_a_session_through_reflection(server: ServerProcess) -> None:
    listed = python(SESSION, server.address, "list").stdout
    assert "facerec.v1.AdminService\n" in listed and "grpc.health.v1.Health\n" in listed
    assert (
        "  StreamAuthorize(stream StreamAuthorizeRequest) -> stream StreamAuthorizeResponse\n"
        in listed
    )
    described = python(SESSION, server.address, "describe", "facerec.v1.AuthorizeResponse").stdout
    assert "  1  outcome  facerec.v1.AuthorizationOutcome\n" in described
    assert "  2  reasons  repeated facerec.v1.Reason\n" in described
    assert "  6  target_fpir  double\n" in described
    asked = python(SESSION, server.address, *STATISTICS)
    assert int(json.loads(asked.stdout)["galleryRevision"]) >= 1


def test_a_session_with_certificate_or_token(
    site: Site, guarded: ServerProcess, token_address: str
) -> None:
    certificate = shown(site, Role.AUDITOR)
    authority, token = certificate[:2], site.token(Role.AUDITOR)
    for asked in (
        python(SESSION, guarded.address, *STATISTICS, *certificate),
        python(SESSION, token_address, *STATISTICS, *authority, "--token", token),
    ):
        assert json.loads(asked.stdout)["profileCount"] == 1, asked.stderr


def test_a_session_that_goes_wrong(
    site: Site, guarded: ServerProcess, server: ServerProcess, tmp_path: Path
) -> None:
    method, certificate = "facerec.v1.AdminService/GetGate", shown(site, Role.GATE)
    for done, said in (
        (python(SESSION, server.address, "call", method, "{}"), "INVALID_ARGUMENT: name"),
        (python(SESSION, server.address, "call", method, "{"), "Failed to load JSON"),
        (python(SESSION, server.address, "call", "facerec.v1.AdminService/No"), "'No'"),
        (python(SESSION, server.address, "describe", "facerec.v1.Nothing"), "Nothing"),
        (python(SESSION, server.address, "list", "--ca", tmp_path / "no.crt"), "no.crt"),
        (python(SESSION, guarded.address, "list"), "UNAVAILABLE"),
        (python(SESSION, guarded.address, *STATISTICS, *certificate), "PERMISSION_DENIED"),
    ):
        assert (done.returncode, done.stdout) == (1, "")
        assert said in done.stderr
        (line,) = done.stderr.splitlines()
        assert line.startswith("error")
