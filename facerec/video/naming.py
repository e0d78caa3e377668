"""Short names of sources, to show and to tell events apart by."""

from pathlib import Path
from urllib.parse import urlsplit

from facerec.video.redaction import is_url

__all__ = ["source_name"]


def source_name(spec: str) -> str:
    """Return a file's stem, ``camera-N`` for a device, or a URL's host; never a secret."""
    if spec.isdecimal():
        return f"camera-{int(spec)}"
    if is_url(spec):
        try:
            return urlsplit(spec).hostname or "stream"
        except ValueError:
            return "stream"
    return Path(spec).stem
