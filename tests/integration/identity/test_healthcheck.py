"""What a container engine asks: ``python -m facerec_identity.healthcheck``."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from facerec_identity.security.caller import Role
from tests.integration.identity.server_process import ServerProcess
from tests.integration.identity.site import Site, free_address


def check(address: str, home: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "facerec_identity.healthcheck", address],
        env={**os.environ, "FACEREC_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip()


def test_of_a_server_on_loopback(server: ServerProcess, tmp_path: Path) -> None:
    assert check(server.address, tmp_path) == (0, "SERVING")


def test_of_nobody(tmp_path: Path) -> None:
    address = free_address()
    assert check(address, tmp_path) == (1, f"no answer at {address}: UNAVAILABLE")


def test_of_a_server_with_certificates(new_home: Callable[[], Path]) -> None:
    site = Site.found(new_home())
    site.certify("healthcheck", [Role.AUDITOR])
    with ServerProcess(site.home) as guarded:
        assert check(guarded.address, site.home) == (0, "SERVING")
