"""The files of deploy/: linted, and held to what they are for."""

import configparser
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from facerec.cli.app import app
from facerec_monitor.configuration import load_configuration
from tests.lock_file import read_lock

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
CONTAINER = DEPLOY / "container"
CONTAINERFILE = (CONTAINER / "Containerfile").read_text("utf-8")
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
# Directives without which a service that is broken into reaches more than its own home.
HARDENING = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "RestrictNamespaces": "yes",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
}
NOT_FOR_SERVING = {"tensorflow", "keras", "onnx", "onnxruntime", "jax", "tf2onnx", "pytest"}


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((CONTAINER / "compose.yaml").read_text("utf-8")))


def test_the_container_file_is_clean() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    done = subprocess.run(
        [hadolint, CONTAINER / "Containerfile"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_served_by_nobody_special_and_holds_checked_weights() -> None:
    workshop, serving = CONTAINERFILE.split(" AS serving\n")
    assert "models pull" in workshop and "models pull" not in serving
    assert "requirements-serve.lock" in serving and "requirements.lock" not in serving
    user = re.findall(r"^USER (\S+)$", serving, re.MULTILINE)[-1]
    assert user.split(":")[0] not in ("root", "0")
    # Checked by that user, so after it: what is verified is what will be read.
    assert serving.index("USER") < serving.index("models verify") < serving.index("ENTRYPOINT")
    assert CONTAINERFILE.count("--require-hashes") == 2


def test_what_the_image_copies_is_there() -> None:
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source


def test_no_file_names_a_registry() -> None:
    """Images by their names alone: which registry they come from is the operator's choice."""
    images = re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE)
    images += [service["image"] for service in compose()["services"].values()]
    for image in images:
        first = image.split("/")[0] if "/" in image else ""
        assert "." not in first and ":" not in first, image


def test_the_serving_lock_is_part_of_the_whole_lock() -> None:
    whole = read_lock(ROOT / "requirements.lock")
    serving = read_lock(ROOT / "requirements-serve.lock")
    assert len(serving) > 30 and serving <= whole
    assert not NOT_FOR_SERVING & {name for name, _ in serving}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert set(project["dependency-groups"]["serve"]) <= set(project["project"]["dependencies"])


def test_every_service_of_the_site_is_confined() -> None:
    site = compose()
    assert set(site["services"]) == {"server", "monitor", "prometheus", "grafana", "broker"}
    for name, service in site["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["image"] == "facerec" or re.search(r":v?\d", service["image"]), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (CONTAINER / source).exists(), source
                assert volume.endswith(":ro"), volume
            else:
                assert source in site["volumes"], source


def test_prometheus_reads_what_the_site_tells() -> None:
    """On a loopback address, so all must share one."""
    scraped = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))
    targets = {
        target
        for job in scraped["scrape_configs"]
        for group in job["static_configs"]
        for target in group["targets"]
    }
    services = compose()["services"]
    cameras = tomllib.loads((CONTAINER / "cameras.toml").read_text("utf-8"))
    told = services["server"]["environment"]["FACEREC_SERVER__METRICS_LISTEN"], cameras["listen"]
    assert targets == set(told)
    for name in ("monitor", "prometheus", "grafana"):
        assert services[name]["network_mode"] == "service:server"


def test_commands_are_those_of_facerec() -> None:
    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    for name in ("server", "monitor"):
        assert compose()["services"][name]["command"][0] in known
    for unit in UNITS:
        for command in re.findall(r"/bin/facerec (\S+)", unit.read_text("utf-8")):
            assert command in known


def test_the_monitors_file_is_one() -> None:
    found = load_configuration(CONTAINER / "cameras.toml", {})
    assert list(found.cameras) == ["entrance"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_units_are_confined(unit: Path) -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(unit)
    service = dict(parser["Service"])
    assert {name: service.get(name) for name in HARDENING} == HARDENING
    assert service["User"] == "facerec"
    assert int(service["TimeoutStopSec"]) > 10  # server.drain_s


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd="/", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_what_the_image_installs_serves_without_tensorflow(
    tmp_path: Path, home: Path, pictures: dict[str, Path]
) -> None:
    """The steps of the Containerfile in a clean folder, with the networks copied."""
    python, facerec = tmp_path / "venv/bin/python", tmp_path / "venv/bin/facerec"
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*install, "--require-hashes", "-r", ROOT / "requirements-serve.lock")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    run(*install, "--no-deps", "--no-index", next(tmp_path.glob("*.whl")))
    place = str(tmp_path / "home")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "models").symlink_to(home / "models")
    run(facerec, "enroll", "Ada", pictures["obama-2012"], "--id", "ada", FACEREC_HOME=place)
    told = run(facerec, "identify", pictures["obama-2009"], "--json", FACEREC_HOME=place)
    assert '"profile_id": "ada"' in told.replace('":"', '": "')
    missing = "import importlib.util as u; print(u.find_spec('tensorflow'), u.find_spec('keras'))"
    assert run(python, "-c", missing).split() == ["None", "None"]
    ask = (
        "import subprocess, sys, json\n"
        "from facerec.client import GateClient\n"
        "server = subprocess.Popen([sys.argv[1], 'serve', '--listen', '127.0.0.1:0', '--json'],"
        " stdout=subprocess.PIPE, text=True)\n"
        "address = json.loads(server.stdout.readline())['listening']\n"
        "with GateClient(address, timeout_s=60) as gate:\n"
        "    face = gate.identify(open(sys.argv[2], 'rb').read(), main_only=True).faces[0]\n"
        "server.terminate()\n"
        "print(face.profile_id, server.wait())\n"
    )
    asked = run(python, "-c", ask, str(facerec), str(pictures["obama-2009"]), FACEREC_HOME=place)
    assert asked.split() == ["ada", "0"]
