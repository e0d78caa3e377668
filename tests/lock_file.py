"""Reads a lock file strictly: it may hold exact versions and their hashes, and nothing else."""

import re
from pathlib import Path

_PIN = re.compile(r"([a-z0-9][a-z0-9._-]*)==([A-Za-z0-9.+!]+)(?: ;[^\\]+)? \\")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


def read_lock(path: Path) -> set[tuple[str, str]]:
    """Return names and versions; of some names there are several, for several versions of Python.

    A line of any other form fails, so that no option, address or place can stand in the file.
    """
    pins: dict[tuple[str, str], int] = {}
    for line in path.read_text("utf-8").splitlines():
        if pin := _PIN.fullmatch(line):
            latest = (pin[1], pin[2])
            pins[latest] = 0
        else:
            assert _HASH.fullmatch(line), f"{path.name}: {line}"
            pins[latest] += 1
    assert all(pins.values()), [name for (name, _), hashes in pins.items() if not hashes]
    return set(pins)
