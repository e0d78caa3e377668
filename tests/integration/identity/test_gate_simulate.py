"""`facerec gate simulate` against a real server with certificates."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from facerec.client import GateClient
from facerec.video.video_writer import VideoWriter
from facerec_identity.security.caller import Role
from tests.integration.identity.pictures import decoded, of_height
from tests.integration.identity.server_process import FACEREC, ServerProcess
from tests.integration.identity.site import Site


@pytest.fixture(scope="module")
def building(
    new_home: Callable[[], Path], portraits: dict[str, bytes]
) -> Iterator[tuple[Site, ServerProcess]]:
    site = Site.found(new_home())
    (site.home / "facerec.toml").write_text('[gates.main]\ngalleries = ["default"]\n', "utf-8")
    with ServerProcess(site.home) as server:
        with GateClient(server.address, timeout_s=60, tls=site.tls("enroller")) as desk:
            desk.enrol("Obama", [portraits["obama-2012"]], profile_id="obama")
        yield site, server


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, portraits: dict[str, bytes]) -> Path:
    """Somebody who stands before the camera for three seconds."""
    image = of_height(decoded(portraits["obama-2009"]), 480)
    image = np.ascontiguousarray(image[:, : image.shape[1] // 2 * 2])
    path = tmp_path_factory.mktemp("film") / "gate.mp4"
    size_wh = (image.shape[1], image.shape[0])
    with VideoWriter(path, fps=10, resolution_wh=size_wh) as writer:
        for _ in range(30):
            writer.write(image)
    return path


def simulate(
    site: Site, server: ServerProcess, *arguments: str | Path, role: Role = Role.GATE
) -> "subprocess.CompletedProcess[str]":
    own = site.pki / f"{role.value}.crt"
    shown = ["--ca", site.pki / "ca.crt", "--cert", own, "--key", own.with_suffix(".key")]
    return subprocess.run(
        [FACEREC, "gate", "simulate", *arguments, "--server", server.address, *shown],
        env={**os.environ, "FACEREC_HOME": str(site.home)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_film_opens_the_gate_once(building: tuple[Site, ServerProcess], film: Path) -> None:
    done = simulate(*building, film, "--gate", "main", "--json")
    assert done.returncode == 0, done.stderr
    (answer,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (answer["outcome"], answer["profile_id"], answer["name"]) == (
        *("granted", "obama", "Obama"),
    )
    assert answer["reasons"] == [] and answer["decision_id"]


def test_single_pictures(building: tuple[Site, ServerProcess], film: Path) -> None:
    done = simulate(*building, film, "--gate", "main", "--single", "--max-frames", "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("granted  Obama") == 2
    assert "the gate opened 2 time(s)" in done.stderr


def test_what_goes_wrong_is_said_in_a_line(
    building: tuple[Site, ServerProcess], film: Path, tmp_path: Path
) -> None:
    for arguments, said in (
        ([film, "--gate", "other"], "may not"),
        ([tmp_path / "no.mp4", "--gate", "main"], "no.mp4"),
    ):
        done = simulate(*building, *arguments)
        assert done.returncode == 1
        assert said in done.stderr and "Traceback" not in done.stderr
