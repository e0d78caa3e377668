"""Short names of sources, to show and to tell events apart by."""

from pathlib import Path

from facerec.video.redaction import host_of, is_url

__all__ = ["is_device", "source_name"]


def is_device(spec: str) -> bool:
    """Tell whether a source is a camera of this machine: a number, or a path in ``/dev``."""
    return spec.isdecimal() or spec.startswith("/dev/")


def source_name(spec: str) -> str:
    """Return a file's stem, ``camera-N`` for a device, or a URL's host; never a secret."""
    if spec.isdecimal():
        return f"camera-{int(spec)}"
    if is_url(spec):
        return host_of(spec) or "stream"
    return Path(spec).stem
