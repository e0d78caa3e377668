"""What a measurement ran on."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from facerec import __version__

__all__ = ["Environment", "present_environment"]

PACKAGES = (
    "ai-edge-litert",
    "faiss-cpu",
    "numpy",
    "opencv-python-headless",
    "scikit-learn",
    "scipy",
)
"""Packages whose version can move a figure."""


@dataclass(frozen=True)
class Environment:
    """Hardware and versions.

    Attributes:
        measured_at: UTC, ISO 8601.
        processor: Name of the CPU.
        cores: Cores that the process may use.
        system: Operating system.
        python: Version of Python.
        packages: Name and version of the packages that can move a figure.
    """

    measured_at: str
    processor: str
    cores: int
    system: str
    python: str
    packages: tuple[tuple[str, str], ...]


def present_environment() -> Environment:
    """Describe the machine and the versions of now."""
    packages = [("facerec", __version__)]
    for name in PACKAGES:
        try:
            packages.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return Environment(
        datetime.now(UTC).isoformat(timespec="seconds"),
        _processor(),
        len(os.sched_getaffinity(0)),
        f"{platform.system()} {platform.machine()}",
        platform.python_version(),
        tuple(packages),
    )


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"
