"""Refuse, in one line, a Python that the project cannot be set up with."""

import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit(
        f"facerec needs Python 3.11, 3.12 or 3.13; this is {sys.version.split()[0]}. "
        "Name another with: make PYTHON=python3.12 setup"
    )
try:
    import ensurepip  # noqa: F401
    import venv  # noqa: F401
except ImportError:
    sys.exit("Python's venv is missing here. On Debian and Ubuntu: apt-get install python3-venv")
