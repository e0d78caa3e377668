"""Addresses of cameras without the secrets in them."""

import re
from urllib.parse import urlsplit, urlunsplit

__all__ = ["host_of", "is_url", "redact"]

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
_HIDDEN = "..."


def is_url(spec: str) -> bool:
    """Tell whether a source is named by a URL rather than by a path or a device number.

    One with a slash too few is a URL too: taken for a path it would be shown with its password.
    """
    return "://" in spec or _SCHEME.match(spec) is not None


def redact(spec: str) -> str:
    """Return a source's name without user, password, query and fragment.

    Cameras carry secrets in the user part (``rtsp://user:secret@host/``), in the query
    (``?token=...``) and in the path (``/user=admin&password=...``), and no list of secret keys is
    complete: so nothing of the first two is kept, and no part of a path that holds a ``=``.

    Args:
        spec: What the user named: a path, a device number or a URL.

    Returns:
        The same text for anything but a URL.
    """
    if not is_url(spec):
        return spec
    scheme, separator, rest = spec.partition("://")
    if not separator:
        return f"{spec.partition(':')[0]}:(address without //)"
    try:
        parts = urlsplit(spec)
    except ValueError:
        return f"{scheme}://(unreadable address)"
    user, at, host = parts.netloc.rpartition("@")
    if "@" in rest[len(user) + len(at) :]:
        # An unescaped /, ? or # in a password moves part of it out of the user part.
        return f"{scheme}://(address with a password)"
    path = "/".join(_HIDDEN if "=" in part else part for part in parts.path.split("/"))
    query = _HIDDEN if parts.query or parts.fragment else ""
    return urlunsplit((parts.scheme, host, path, query, ""))


def host_of(url: str) -> str:
    """Return the host of a URL; "" where it cannot be told apart from a password."""
    shown = redact(url)
    return "" if "(" in shown else urlsplit(shown).hostname or ""
