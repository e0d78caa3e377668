"""Addresses of cameras without the secrets in them."""

from urllib.parse import urlsplit, urlunsplit

__all__ = ["is_url", "redact"]


def is_url(spec: str) -> bool:
    """Tell whether a source is named by a URL rather than by a path or a device number."""
    return "://" in spec


def redact(spec: str) -> str:
    """Return a source's name without user, password, query and fragment.

    Cameras carry secrets in the user part (``rtsp://user:secret@host/``) as often as in the query
    (``?token=...``), and no list of secret keys is complete: so nothing of either is kept.

    Args:
        spec: What the user named: a path, a device number or a URL.

    Returns:
        The same text for anything but a URL.
    """
    if not is_url(spec):
        return spec
    scheme, rest = spec.split("://", 1)
    try:
        parts = urlsplit(spec)
    except ValueError:
        return f"{scheme}://(unreadable address)"
    user, at, host = parts.netloc.rpartition("@")
    if "@" in rest[len(user) + len(at) :]:
        # An unescaped /, ? or # in a password moves part of it out of the user part.
        return f"{scheme}://(address with a password)"
    query = "..." if parts.query or parts.fragment else ""
    return urlunsplit((parts.scheme, host, parts.path, query, ""))
